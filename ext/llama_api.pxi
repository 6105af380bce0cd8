# libllama as it is loaded: its types, its functions by address. Part of llama_decode.

cdef extern from *:
    """
    #include <stdbool.h>
    static inline void he_store(int *flag, int value) {
        __atomic_store_n(flag, value, __ATOMIC_RELEASE);
    }
    static inline int he_load(int *flag) {
        return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
    }
    """
    # A C bool comes back in one byte whose neighbours are garbage: never declare int.
    ctypedef unsigned char c_bool "bool"
    void he_store(int *flag, int value) noexcept nogil
    int he_load(int *flag) noexcept nogil

ctypedef struct llama_batch:
    int32_t n_tokens
    int32_t *token
    float *embd
    int32_t *pos
    int32_t *n_seq_id
    int32_t **seq_id
    int8_t *logits

ctypedef struct llama_token_data:
    int32_t id
    float logit
    float p

ctypedef struct llama_token_data_array:
    llama_token_data *data
    size_t size
    int64_t selected
    c_bool sorted

ctypedef struct llama_sampler_chain_params:
    c_bool no_perf

ctypedef c_bool (*abort_fn)(void *) noexcept nogil
ctypedef int32_t (*decode_fn)(void *, llama_batch) noexcept nogil
ctypedef float *(*logits_fn)(void *, int32_t) noexcept nogil
ctypedef void *(*memory_fn)(void *) noexcept nogil
ctypedef uint32_t (*size_fn)(void *) noexcept nogil
ctypedef void (*set_abort_fn)(void *, abort_fn, void *) noexcept nogil
ctypedef void (*clear_fn)(void *, c_bool) noexcept nogil
ctypedef c_bool (*seq_rm_fn)(void *, int32_t, int32_t, int32_t) noexcept nogil
ctypedef void (*seq_cp_fn)(void *, int32_t, int32_t, int32_t, int32_t) noexcept nogil
ctypedef int32_t (*pos_fn)(void *, int32_t) noexcept nogil
ctypedef size_t (*state_size_fn)(void *, int32_t) noexcept nogil
ctypedef size_t (*state_get_fn)(void *, uint8_t *, size_t, int32_t) noexcept nogil
ctypedef size_t (*state_set_fn)(
    void *, const uint8_t *, size_t, int32_t) noexcept nogil
ctypedef int32_t (*count_fn)(void *) noexcept nogil
ctypedef c_bool (*token_is_fn)(void *, int32_t) noexcept nogil
ctypedef int32_t (*piece_fn)(
    void *, int32_t, char *, int32_t, int32_t, c_bool) noexcept nogil
ctypedef int32_t (*tokenize_fn)(
    void *, const char *, int32_t, int32_t *, int32_t, c_bool, c_bool) noexcept nogil
ctypedef void (*apply_fn)(void *, llama_token_data_array *) noexcept nogil
ctypedef void (*free_fn)(void *) noexcept nogil
ctypedef void *(*chain_fn)(llama_sampler_chain_params) noexcept nogil
ctypedef void (*add_fn)(void *, void *) noexcept nogil
ctypedef void *(*from_int_fn)(int32_t) noexcept nogil
ctypedef void *(*from_seed_fn)(uint32_t) noexcept nogil
ctypedef void *(*from_float_fn)(float) noexcept nogil
ctypedef void *(*from_float_keep_fn)(float, size_t) noexcept nogil

cdef enum:
    TEXT = 0
    END = 1
    UNSPEAKABLE = 2  # a control token
    NOTHING_ALLOWED = -1
    NOT_A_NUMBER = -2
    NO_LOGITS = -3
    LLAMA_MAX_SEQ = 256
    CANCELLED_RC = 2

CANCELLED = CANCELLED_RC  # what `prefill` returns after `cancel`; llama.cpp's own code

FUNCTIONS = (
    "llama_decode",
    "llama_get_logits_ith",
    "llama_get_memory",
    "llama_n_ctx",
    "llama_n_seq_max",
    "llama_set_abort_callback",
    "llama_memory_clear",
    "llama_memory_seq_rm",
    "llama_memory_seq_cp",
    "llama_memory_seq_pos_max",
    "llama_state_seq_get_size",
    "llama_state_seq_get_data",
    "llama_state_seq_set_data",
    "llama_vocab_n_tokens",
    "llama_vocab_is_eog",
    "llama_vocab_is_control",
    "llama_token_to_piece",
    "llama_tokenize",
    "llama_sampler_apply",
    "llama_sampler_free",
    "llama_sampler_chain_init",
    "llama_sampler_chain_add",
    "llama_sampler_init_top_k",
    "llama_sampler_init_top_p",
    "llama_sampler_init_min_p",
    "llama_sampler_init_typical",
    "llama_sampler_init_temp",
    "llama_sampler_init_dist",
)


cdef class Api:
    """The functions of one loaded libllama; made by `bind` only."""

    cdef decode_fn decode
    cdef logits_fn logits
    cdef memory_fn memory
    cdef size_fn n_ctx
    cdef size_fn n_seq_max
    cdef set_abort_fn set_abort
    cdef clear_fn clear
    cdef seq_rm_fn seq_rm
    cdef seq_cp_fn seq_cp
    cdef pos_fn pos_max
    cdef state_size_fn state_size
    cdef state_get_fn state_get
    cdef state_set_fn state_set
    cdef count_fn n_vocab
    cdef token_is_fn is_eog
    cdef token_is_fn is_control
    cdef piece_fn piece
    cdef tokenize_fn tokenize
    cdef apply_fn apply
    cdef free_fn free
    cdef chain_fn chain
    cdef add_fn add
    cdef from_int_fn top_k
    cdef from_float_keep_fn top_p
    cdef from_float_keep_fn min_p
    cdef from_float_keep_fn typical
    cdef from_float_fn temp
    cdef from_seed_fn dist

    def __init__(self):
        raise TypeError("use bind()")


def layouts():
    """Size and field offsets of every struct passed to libllama, in bytes.

    Returns `{struct: (size, {field: offset})}`.
    """
    cdef llama_batch batch
    cdef llama_token_data data
    cdef llama_token_data_array many
    cdef llama_sampler_chain_params params
    return {
        "llama_batch": (sizeof(batch), {
            "n_tokens": <char *>&batch.n_tokens - <char *>&batch,
            "token": <char *>&batch.token - <char *>&batch,
            "embd": <char *>&batch.embd - <char *>&batch,
            "pos": <char *>&batch.pos - <char *>&batch,
            "n_seq_id": <char *>&batch.n_seq_id - <char *>&batch,
            "seq_id": <char *>&batch.seq_id - <char *>&batch,
            "logits": <char *>&batch.logits - <char *>&batch,
        }),
        "llama_token_data": (sizeof(data), {
            "id": <char *>&data.id - <char *>&data,
            "logit": <char *>&data.logit - <char *>&data,
            "p": <char *>&data.p - <char *>&data,
        }),
        "llama_token_data_array": (sizeof(many), {
            "data": <char *>&many.data - <char *>&many,
            "size": <char *>&many.size - <char *>&many,
            "selected": <char *>&many.selected - <char *>&many,
            "sorted": <char *>&many.sorted - <char *>&many,
        }),
        "llama_sampler_chain_params": (sizeof(params), {
            "no_perf": <char *>&params.no_perf - <char *>&params,
        }),
    }


def bind(dict addresses, dict library_layouts):
    """Make an `Api` from function addresses, after comparing the struct layouts.

    `addresses` maps every name in `FUNCTIONS` to an address, `library_layouts` has the
    form of `layouts()`. Raises ImportError naming what is missing or different.
    """
    for name, (size, offsets) in layouts().items():
        if name not in library_layouts:
            raise ImportError(f"libllama's struct {name} is unknown")
        other_size, other_offsets = library_layouts[name]
        if other_size != size:
            raise ImportError(
                f"libllama's struct {name} has {other_size} bytes, not {size}"
            )
        for field in sorted(set(offsets) | set(other_offsets)):
            if offsets.get(field) != other_offsets.get(field):
                raise ImportError(
                    f"libllama's struct {name} has field {field} at offset "
                    f"{other_offsets.get(field)}, not {offsets.get(field)}"
                )
    for name in FUNCTIONS:
        if not addresses.get(name):
            raise ImportError(f"libllama has no function {name}")

    cdef Api api = Api.__new__(Api)
    api.decode = <decode_fn>_address(addresses, "llama_decode")
    api.logits = <logits_fn>_address(addresses, "llama_get_logits_ith")
    api.memory = <memory_fn>_address(addresses, "llama_get_memory")
    api.n_ctx = <size_fn>_address(addresses, "llama_n_ctx")
    api.n_seq_max = <size_fn>_address(addresses, "llama_n_seq_max")
    api.set_abort = <set_abort_fn>_address(addresses, "llama_set_abort_callback")
    api.clear = <clear_fn>_address(addresses, "llama_memory_clear")
    api.seq_rm = <seq_rm_fn>_address(addresses, "llama_memory_seq_rm")
    api.seq_cp = <seq_cp_fn>_address(addresses, "llama_memory_seq_cp")
    api.pos_max = <pos_fn>_address(addresses, "llama_memory_seq_pos_max")
    api.state_size = <state_size_fn>_address(addresses, "llama_state_seq_get_size")
    api.state_get = <state_get_fn>_address(addresses, "llama_state_seq_get_data")
    api.state_set = <state_set_fn>_address(addresses, "llama_state_seq_set_data")
    api.n_vocab = <count_fn>_address(addresses, "llama_vocab_n_tokens")
    api.is_eog = <token_is_fn>_address(addresses, "llama_vocab_is_eog")
    api.is_control = <token_is_fn>_address(addresses, "llama_vocab_is_control")
    api.piece = <piece_fn>_address(addresses, "llama_token_to_piece")
    api.tokenize = <tokenize_fn>_address(addresses, "llama_tokenize")
    api.apply = <apply_fn>_address(addresses, "llama_sampler_apply")
    api.free = <free_fn>_address(addresses, "llama_sampler_free")
    api.chain = <chain_fn>_address(addresses, "llama_sampler_chain_init")
    api.add = <add_fn>_address(addresses, "llama_sampler_chain_add")
    api.top_k = <from_int_fn>_address(addresses, "llama_sampler_init_top_k")
    api.top_p = <from_float_keep_fn>_address(addresses, "llama_sampler_init_top_p")
    api.min_p = <from_float_keep_fn>_address(addresses, "llama_sampler_init_min_p")
    api.typical = <from_float_keep_fn>_address(addresses, "llama_sampler_init_typical")
    api.temp = <from_float_fn>_address(addresses, "llama_sampler_init_temp")
    api.dist = <from_seed_fn>_address(addresses, "llama_sampler_init_dist")
    return api


cdef void *_address(dict addresses, str name) except NULL:
    return <void *><uintptr_t>addresses[name]
