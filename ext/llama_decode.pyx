# cython: language_level=3, boundscheck=True, wraparound=False
"""Decoding on the libllama that llama_cpp has already loaded: batches, cache, sampling.

libllama is called through the addresses of its functions, so that building needs
neither its headers nor a linker flag, and one build serves every libllama whose structs
have the same layout; `bind` compares the layouts before the first call. The GIL is
released around everything that takes long.

A `Decoder` is not thread-safe: one thread calls it. Only `cancel` may be called from
any thread at any time; it also ends a `llama_decode` that is running.
"""

from cpython.array cimport array, clone
from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport (
    INT32_MAX,
    int8_t,
    int32_t,
    int64_t,
    uint8_t,
    uint32_t,
    uintptr_t,
)
from libc.math cimport INFINITY
from libc.stdlib cimport calloc, free, malloc

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


def common_prefix(
    const int32_t[::1] first not None, const int32_t[::1] second not None
):
    """How many tokens two sequences have in common at their start."""
    cdef Py_ssize_t shorter = min(first.shape[0], second.shape[0])
    cdef Py_ssize_t i = 0
    while i < shorter and first[i] == second[i]:
        i += 1
    return i


cdef class Decoder:
    """Fills the KV cache of one context and chooses tokens from its logits.

    `context` and `vocab` are addresses; their owner calls `close` before it frees them.
    `n_batch` is the size of a micro-batch in tokens, at most the context's own.

    `guard` is a sequence of no other use, or -1. With it every cell belongs to two
    sequences: llama.cpp writes over cells of one sequence alone once they are behind a
    sliding window, though a prompt that is cut back would see them again.
    """

    cdef Api api
    cdef void *context
    cdef void *memory
    cdef void *vocab
    cdef llama_batch batch
    cdef int32_t *sequences
    cdef int32_t capacity
    cdef int32_t vocabulary
    cdef int32_t cells
    cdef int32_t sequence_limit
    cdef uint8_t *kinds
    cdef llama_token_data *candidates
    cdef int cancelled
    cdef bint has_logits
    cdef bint end_known
    cdef int32_t guard

    def __cinit__(self, Api api not None, uintptr_t context, uintptr_t vocab,
                  int32_t n_batch, int32_t guard=-1):
        cdef int32_t i
        if not context or not vocab:
            raise ValueError("context and vocab must not be null")
        if n_batch < 1 or n_batch > 65536:
            raise ValueError("n_batch must be 1 to 65536")
        if guard >= LLAMA_MAX_SEQ:
            raise ValueError(f"sequence {guard} is not in [0, {LLAMA_MAX_SEQ})")
        self.guard = guard
        self.api = api
        self.vocab = <void *>vocab
        self.memory = api.memory(<void *>context)
        if self.memory is NULL:
            raise ValueError("the context has no memory to decode into")
        self.capacity = n_batch
        self.vocabulary = api.n_vocab(self.vocab)
        self.cells = <int32_t>api.n_ctx(<void *>context)
        self.sequence_limit = <int32_t>api.n_seq_max(<void *>context)
        if self.vocabulary < 1:
            raise ValueError("the vocabulary is empty")
        self.batch.embd = NULL
        self.batch.token = <int32_t *>calloc(n_batch, sizeof(int32_t))
        self.batch.pos = <int32_t *>calloc(n_batch, sizeof(int32_t))
        self.batch.n_seq_id = <int32_t *>calloc(n_batch, sizeof(int32_t))
        self.batch.seq_id = <int32_t **>calloc(n_batch + 1, sizeof(int32_t *))
        self.batch.logits = <int8_t *>calloc(n_batch, sizeof(int8_t))
        self.sequences = <int32_t *>calloc(n_batch, sizeof(int32_t))
        self.kinds = <uint8_t *>calloc(self.vocabulary, 1)
        self.candidates = <llama_token_data *>calloc(
            self.vocabulary, sizeof(llama_token_data))
        if (self.batch.token is NULL or self.batch.pos is NULL
                or self.batch.n_seq_id is NULL or self.batch.seq_id is NULL
                or self.batch.logits is NULL or self.sequences is NULL
                or self.kinds is NULL or self.candidates is NULL):
            raise MemoryError
        for i in range(n_batch):
            self.batch.n_seq_id[i] = 1
            self.batch.seq_id[i] = self.sequences + i
        for i in range(self.vocabulary):
            if api.is_eog(self.vocab, i):
                self.kinds[i] = END
                self.end_known = True
            elif api.is_control(self.vocab, i):
                self.kinds[i] = UNSPEAKABLE
        self.context = <void *>context
        api.set_abort(self.context, _is_cancelled, <void *>&self.cancelled)

    def __dealloc__(self):
        # The context may be gone already; only `close` may touch it.
        free(self.batch.token)
        free(self.batch.pos)
        free(self.batch.n_seq_id)
        free(self.batch.seq_id)
        free(self.batch.logits)
        free(self.sequences)
        free(self.kinds)
        free(self.candidates)

    @property
    def n_ctx(self):
        """Cells of the context, in tokens."""
        return self.cells

    @property
    def n_seq_max(self):
        """Sequences that tokens can be decoded in; memory has 256."""
        return self.sequence_limit

    @property
    def n_vocab(self):
        """Size of the vocabulary."""
        return self.vocabulary

    @property
    def has_end(self):
        """Whether the vocabulary has a token that ends a generation."""
        return self.end_known

    def close(self):
        """Let go of the context; every later call but `cancel` raises RuntimeError."""
        if self.context is not NULL:
            self.api.set_abort(self.context, NULL, NULL)
            self.context = NULL
            self.memory = NULL
            self.has_logits = False

    def cancel(self):
        """Stop what runs, from any thread; stays in force until `resume`."""
        he_store(&self.cancelled, 1)

    def resume(self):
        """Take `cancel` back."""
        he_store(&self.cancelled, 0)

    @property
    def is_cancelled(self):
        """Whether `cancel` is in force."""
        return he_load(&self.cancelled) != 0

    def prefill(self, const int32_t[::1] tokens not None, int32_t position,
                int32_t sequence=0, bint want_logits=False):
        """Decode `tokens` from `position` on, in micro-batches.

        Returns `(done, rc)`: how many tokens are in the cache, and 0, `CANCELLED`, 1
        (no room in the cache) or a negative code of llama.cpp's. The tokens that were
        not completed are removed from the cache again. Logits of the last token are
        there for `sample` when `want_logits` and rc is 0.
        """
        cdef Py_ssize_t total = tokens.shape[0]
        cdef Py_ssize_t done = 0
        cdef int32_t rc
        self._check_open()
        self._check_sequence(sequence, self.sequence_limit)
        if position < 0 or total > INT32_MAX - position:
            raise ValueError("position is out of range")
        self._check_tokens(tokens)
        self.has_logits = False
        with nogil:
            rc = self._prefill(tokens, position, sequence, want_logits, &done)
            if rc != 0:
                self.api.seq_rm(
                    self.memory, sequence, position + <int32_t>done, -1)
        self.has_logits = want_logits and rc == 0 and total > 0
        return done, rc

    def prefill_side_by_side(self, const int32_t[::1] tokens not None,
                             const int32_t[::1] lengths not None, int32_t position,
                             int32_t first):
        """Decode several runs of tokens, each in a sequence of its own.

        `tokens` holds the runs one after the other, `lengths` their lengths. Run i goes
        into sequence `first + i` from `position` on and sees what is in that sequence
        before it. Returns 0, or a code as `prefill` does; then no token of any run is
        left in the cache.
        """
        cdef Py_ssize_t runs = lengths.shape[0]
        cdef Py_ssize_t run = 0
        cdef Py_ssize_t at = 0
        cdef int64_t total = 0
        cdef int32_t inside = 0
        cdef int32_t rc = 0
        cdef int32_t size
        self._check_open()
        if runs < 1:
            return 0
        self._check_sequence(first, self.sequence_limit)
        self._check_sequence(first + <int32_t>runs - 1, self.sequence_limit)
        for run in range(runs):
            if lengths[run] < 1 or lengths[run] > INT32_MAX - position:
                raise ValueError("the length of a run is out of range")
            total += lengths[run]
        if position < 0 or total != tokens.shape[0]:
            raise ValueError("position or lengths are out of range")
        self._check_tokens(tokens)
        self.has_logits = False
        run = 0
        with nogil:
            while run < runs:
                if he_load(&self.cancelled):
                    rc = CANCELLED_RC
                    break
                size = 0
                while run < runs and size < self.capacity:
                    self.batch.token[size] = tokens[at]
                    self.batch.pos[size] = position + inside
                    self.batch.logits[size] = 0
                    self.sequences[size] = first + <int32_t>run
                    size += 1
                    at += 1
                    inside += 1
                    if inside == lengths[run]:
                        inside = 0
                        run += 1
                self.batch.n_tokens = size
                rc = self.api.decode(self.context, self.batch)
                if rc != 0:
                    break
            if rc != 0:
                for run in range(runs):
                    self.api.seq_rm(
                        self.memory, first + <int32_t>run, position, -1)
        return rc

    def assemble(self, int32_t target, int32_t start,
                 const int32_t[::1] sources not None):
        """Make the target from `start` on consist of what the sources have there.

        No token is decoded: cells become part of the target as well. Positions before
        `start` stay as they are.
        """
        cdef Py_ssize_t i
        self._check_open()
        self._check_sequence(target, LLAMA_MAX_SEQ)
        if start < 0:
            raise ValueError("start is out of range")
        for i in range(sources.shape[0]):
            self._check_sequence(sources[i], LLAMA_MAX_SEQ)
            if sources[i] == target:
                raise ValueError("a sequence cannot be assembled from itself")
        with nogil:
            self.api.seq_rm(self.memory, target, start, -1)
            for i in range(sources.shape[0]):
                self.api.seq_cp(self.memory, sources[i], target, start, -1)

    def take(self, int32_t sequence, int32_t start=-1, int32_t end=-1, int32_t io=-1):
        """The state of positions `[start, end)` of a sequence as bytes.

        It goes through the sequence `io`, which must be empty and is left so; -1: the
        sequence itself, whole. Raises MemoryError.
        """
        cdef size_t size
        cdef size_t written = 0
        cdef int32_t source = sequence if io < 0 else io
        cdef uint8_t *target
        cdef bytes state
        self._check_open()
        self._check_sequence(sequence, LLAMA_MAX_SEQ)
        self._check_sequence(source, self.sequence_limit)
        if io >= 0:
            self.api.seq_cp(self.memory, sequence, io, start, end)
        try:
            size = self.api.state_size(self.context, source)
            state = PyBytes_FromStringAndSize(NULL, <Py_ssize_t>size)
            target = <uint8_t *><char *>state
            with nogil:
                written = self.api.state_get(self.context, target, size, source)
        finally:
            if io >= 0:
                self.api.seq_rm(self.memory, io, -1, -1)
        if written != size:
            raise MemoryError("the state could not be copied")
        return state

    def put(self, const uint8_t[::1] state not None, int32_t sequence, int32_t io=-1):
        """Bring what `take` gave into a sequence; whether that succeeded.

        With `io` it is added to what the sequence has; that sequence must be empty and
        is left so. Without, it takes the place of what the sequence has. The bytes must
        come from `take` on a context of the same model and settings, or have been
        checked: see `homellm_edge.kv.state`.
        """
        cdef int32_t target = sequence if io < 0 else io
        cdef size_t read = 0
        self._check_open()
        self._check_sequence(sequence, LLAMA_MAX_SEQ)
        self._check_sequence(target, self.sequence_limit)
        if state.shape[0] < 1:
            return False
        self.has_logits = False
        with nogil:
            read = self.api.state_set(
                self.context, &state[0], <size_t>state.shape[0], target)
            if read != <size_t>state.shape[0]:
                self.api.seq_rm(self.memory, target, -1, -1)
                read = 0
            elif io >= 0:
                self.api.seq_cp(self.memory, io, sequence, -1, -1)
            if io >= 0:
                self.api.seq_rm(self.memory, io, -1, -1)
            if read and self.guard >= 0:
                self.api.seq_cp(self.memory, sequence, self.guard, -1, -1)
        return read != 0

    def logits(self):
        """A copy of the last token's logits, `n_vocab` floats."""
        cdef array result = clone(array("f"), self.vocabulary, False)
        cdef float[::1] view = result
        cdef float *source
        cdef int32_t i
        self._check_open()
        if not self.has_logits:
            raise RuntimeError("there are no logits")
        source = self.api.logits(self.context, -1)
        if source is NULL:
            raise RuntimeError("there are no logits")
        for i in range(self.vocabulary):
            view[i] = source[i]
        return result

    def sample(self, Sampler sampler not None):
        """Choose the next token from the logits.

        Raises RuntimeError when there are no logits or they are not numbers.
        """
        return self._sampled(sampler, NULL, 0, False)

    def sample_among(self, Sampler sampler not None, allowed not None):
        """Choose the next token from the logits of some tokens only.

        `allowed` is a tuple of tokens, or bytes with a bit for each token, the lowest
        first, in whole words of 32 bits. Returns -1 where no token is allowed. Raises
        as `sample` does.
        """
        cdef const uint32_t[::1] words
        cdef int64_t i, count
        cdef int32_t token
        if isinstance(allowed, bytes):
            words = memoryview(allowed).cast("I")
            if words.shape[0] != (self.vocabulary + 31) // 32:
                raise ValueError("the mask is not one of this vocabulary")
            return self._sampled(sampler, &words[0], 0, True)
        count = len(allowed)
        if count > self.vocabulary:
            raise ValueError("more tokens are allowed than there are")
        for i in range(count):
            token = allowed[i]
            if token < 0 or token >= self.vocabulary:
                raise ValueError(f"token {token} is not in the vocabulary")
            self.candidates[i].id = token
        return self._sampled(sampler, NULL, <int32_t>count, True)

    cdef object _sampled(self, Sampler sampler, const uint32_t *words, int32_t count,
                         bint some):
        cdef int32_t token
        self._check_open()
        if sampler.decoder is not self:
            raise ValueError("the sampler belongs to another decoder")
        if not self.has_logits:
            raise RuntimeError("there are no logits")
        with nogil:
            if some:
                token = sampler.choose_among(words, count)
            else:
                token = sampler.choose()
        if token == NO_LOGITS:
            raise RuntimeError("there are no logits")
        if token == NOT_A_NUMBER:
            raise RuntimeError("the logits are not numbers; the model is damaged")
        return token

    def is_end(self, int32_t token):
        """Whether the token ends a generation."""
        return 0 <= token < self.vocabulary and self.kinds[token] == END

    def is_unspeakable(self, int32_t token):
        """Whether it is a control token, though it is no end."""
        return 0 <= token < self.vocabulary and self.kinds[token] == UNSPEAKABLE

    def piece(self, int32_t token, bint special=False):
        """The bytes of a token; a control token has some only if `special`."""
        cdef char small[256]
        cdef char *large
        cdef int32_t length
        if token < 0 or token >= self.vocabulary:
            raise ValueError(f"token {token} is not in the vocabulary")
        self._check_open()
        length = self.api.piece(self.vocab, token, small, sizeof(small), 0, special)
        if length >= 0:
            return small[:length]
        large = <char *>malloc(-length)
        if large is NULL:
            raise MemoryError
        try:
            length = self.api.piece(self.vocab, token, large, -length, 0, special)
            return large[:max(length, 0)]
        finally:
            free(large)

    def pieces(self):
        """The bytes of all tokens, and a byte each: 1 if it may be text.

        Control tokens and those that end a generation may not; they have bytes all the
        same, by which a grammar can name them.
        """
        cdef list pieces = [self.piece(token, True) for token in range(self.vocabulary)]
        return pieces, bytes([self.kinds[i] == TEXT for i in range(self.vocabulary)])

    def end_tokens(self):
        """The tokens that end a generation, ascending."""
        return tuple([i for i in range(self.vocabulary) if self.kinds[i] == END])

    def tokenize(self, bytes text not None, bint add_special, bint parse_special):
        """Token ids of UTF-8 text as an `array("i")`.

        `add_special` adds what the vocabulary wants at the start (BOS),
        `parse_special` reads the text of control tokens as those tokens.
        """
        cdef Py_ssize_t length = len(text)
        cdef array result
        cdef int32_t[::1] view
        cdef const char *source = text
        cdef int32_t count
        self._check_open()
        if length > INT32_MAX - 16:
            raise ValueError("the text is too long")
        result = clone(array("i"), length + 16, False)
        view = result
        with nogil:
            count = self.api.tokenize(
                self.vocab, source, <int32_t>length, &view[0],
                <int32_t>view.shape[0], add_special, parse_special)
        if count < 0:
            raise RuntimeError("llama.cpp could not tokenize the text")
        return result[:count]

    def clear(self):
        """Empty the whole cache."""
        self._check_open()
        self.api.clear(self.memory, False)
        self.has_logits = False

    def remove(self, int32_t sequence, int32_t start, int32_t end=-1):
        """Remove positions `[start, end)` of a sequence (`end` -1: to its end).

        Returns False where the model's memory cannot do that (recurrent models).
        """
        self._check_open()
        self._check_sequence(sequence, LLAMA_MAX_SEQ)
        if self.guard >= 0:
            self.api.seq_rm(self.memory, self.guard, start, end)
        return self.api.seq_rm(self.memory, sequence, start, end) != 0

    def copy(self, int32_t source, int32_t target, int32_t start=-1, int32_t end=-1):
        """Make positions `[start, end)` of one sequence part of another as well."""
        self._check_open()
        self._check_sequence(source, LLAMA_MAX_SEQ)
        self._check_sequence(target, LLAMA_MAX_SEQ)
        self.api.seq_cp(self.memory, source, target, start, end)

    def last_position(self, int32_t sequence=0):
        """The highest position that a sequence has in the cache, -1 when empty."""
        self._check_open()
        self._check_sequence(sequence, LLAMA_MAX_SEQ)
        return self.api.pos_max(self.memory, sequence)

    cdef int32_t _prefill(self, const int32_t[::1] tokens, int32_t position,
                          int32_t sequence, bint want_logits,
                          Py_ssize_t *done) noexcept nogil:
        cdef Py_ssize_t total = tokens.shape[0]
        cdef Py_ssize_t i
        cdef int32_t size, start, rc
        while done[0] < total:
            if he_load(&self.cancelled):
                return CANCELLED_RC
            size = <int32_t>min(<Py_ssize_t>self.capacity, total - done[0])
            start = position + <int32_t>done[0]
            for i in range(size):
                self.batch.token[i] = tokens[done[0] + i]
                self.batch.pos[i] = start + <int32_t>i
                self.batch.logits[i] = 0
                self.sequences[i] = sequence
            if want_logits and done[0] + size == total:
                self.batch.logits[size - 1] = 1
            self.batch.n_tokens = size
            rc = self.api.decode(self.context, self.batch)
            if rc != 0:
                return rc
            if self.guard >= 0:
                self.api.seq_cp(
                    self.memory, sequence, self.guard, start, start + size)
            done[0] += size
        return 0

    cdef int _check_tokens(self, const int32_t[::1] tokens) except -1:
        cdef Py_ssize_t i
        for i in range(tokens.shape[0]):
            if tokens[i] < 0 or tokens[i] >= self.vocabulary:
                raise ValueError(f"token {tokens[i]} is not in the vocabulary")
        return 0

    cdef int _check_open(self) except -1:
        if self.context is NULL:
            raise RuntimeError("the decoder is closed")
        return 0

    cdef int _check_sequence(self, int32_t sequence, int32_t limit) except -1:
        if sequence < 0 or sequence >= limit:
            raise ValueError(f"sequence {sequence} is not in [0, {limit})")
        return 0


cdef class Sampler:
    """How the tokens of one generation are chosen; ranges as in llama.cpp.

    `temperature` 0 takes the best token, of several the one with the lowest number.
    """

    cdef Decoder decoder
    cdef free_fn release  # the garbage collector may take the decoder away first
    cdef void *chain
    cdef bint greedy

    def __cinit__(self, Decoder decoder not None, *, float temperature=0.0,
                  int32_t top_k=40, float top_p=1.0, float min_p=0.0,
                  float typical_p=1.0, uint32_t seed=0):
        cdef llama_sampler_chain_params params
        cdef Api api = decoder.api
        decoder._check_open()
        self.decoder = decoder
        self.release = api.free
        self.greedy = not temperature > 0.0
        if self.greedy:
            return
        params.no_perf = True
        self.chain = api.chain(params)
        if self.chain is NULL:
            raise MemoryError
        api.add(self.chain, api.top_k(top_k))
        api.add(self.chain, api.typical(typical_p, 1))
        api.add(self.chain, api.top_p(top_p, 1))
        api.add(self.chain, api.min_p(min_p, 1))
        api.add(self.chain, api.temp(temperature))
        api.add(self.chain, api.dist(seed))

    def __dealloc__(self):
        if self.chain is not NULL:
            self.release(self.chain)

    cdef int32_t choose(self) noexcept nogil:
        cdef const float *logits = self.decoder.api.logits(self.decoder.context, -1)
        cdef llama_token_data *candidates = self.decoder.candidates
        cdef int32_t token, i
        if logits is NULL:
            return NO_LOGITS
        token = self._best(logits)
        if self.greedy or token < 0:
            return token
        for i in range(self.decoder.vocabulary):
            _fill(candidates, i, i, logits)
        return self._draw(self.decoder.vocabulary)

    cdef int32_t choose_among(self, const uint32_t *words,
                              int32_t count) noexcept nogil:
        """Of the tokens in words, or, without these, of those among the candidates."""
        cdef const float *logits = self.decoder.api.logits(self.decoder.context, -1)
        cdef llama_token_data *candidates = self.decoder.candidates
        cdef int32_t i
        if logits is NULL:
            return NO_LOGITS
        if words is not NULL:
            count = 0
            for i in range(self.decoder.vocabulary):
                if words[i >> 5] >> (i & 31) & 1:
                    _fill(candidates, count, i, logits)
                    count += 1
        else:
            for i in range(count):
                _fill(candidates, i, candidates[i].id, logits)
        if self.greedy:
            return _best_of(candidates, count)
        for i in range(count):
            if candidates[i].logit != candidates[i].logit:
                return NOT_A_NUMBER
        return self._draw(count)

    cdef int32_t _best(self, const float *logits) noexcept nogil:
        # Comparisons with NaN are false, so one anywhere must be looked for.
        cdef int32_t best = 0
        cdef int32_t i
        cdef float highest = logits[0]
        cdef bint broken = False
        for i in range(self.decoder.vocabulary):
            if logits[i] > highest:
                highest = logits[i]
                best = i
            broken |= logits[i] != logits[i]
        if broken or highest - highest != 0.0:
            return NOT_A_NUMBER
        return best

    cdef int32_t _draw(self, int32_t count) noexcept nogil:
        cdef llama_token_data_array many
        if count == 0:
            return NOTHING_ALLOWED
        many.data = self.decoder.candidates
        many.size = count
        many.selected = -1
        many.sorted = False
        self.decoder.api.apply(self.chain, &many)
        if many.selected < 0 or many.selected >= <int64_t>many.size:
            return NOTHING_ALLOWED
        return many.data[many.selected].id


cdef inline void _fill(llama_token_data *candidates, int32_t at, int32_t token,
                       const float *logits) noexcept nogil:
    candidates[at].id = token
    candidates[at].logit = logits[token]
    candidates[at].p = 0.0


cdef int32_t _best_of(const llama_token_data *candidates, int32_t count) noexcept nogil:
    """The best token, the lowest of several; logits without a number are an error."""
    cdef int32_t best = NOTHING_ALLOWED
    cdef float highest = -INFINITY
    cdef int32_t i
    for i in range(count):
        if candidates[i].logit != candidates[i].logit:
            return NOT_A_NUMBER
        if best < 0 or candidates[i].logit > highest or (
            candidates[i].logit == highest and candidates[i].id < best
        ):
            highest = candidates[i].logit
            best = candidates[i].id
    return best


cdef c_bool _is_cancelled(void *flag) noexcept nogil:
    return he_load(<int *>flag) != 0


cdef void *_address(dict addresses, str name) except NULL:
    return <void *><uintptr_t>addresses[name]
