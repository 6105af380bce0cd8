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

include "llama_api.pxi"


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
    cdef int64_t total

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
    def decoded(self):
        """Tokens decoded so far, those that were removed again included."""
        return self.total

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
        if position < 0:
            raise ValueError("position is out of range")
        for run in range(runs):
            if lengths[run] < 1 or lengths[run] > INT32_MAX - position:
                raise ValueError("the length of a run is out of range")
            total += lengths[run]
        if total != tokens.shape[0]:
            raise ValueError("the lengths are not those of the tokens")
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
                self.total += size
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
            self.total += size
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


cdef c_bool _is_cancelled(void *flag) noexcept nogil:
    return he_load(<int *>flag) != 0


include "llama_sampler.pxi"
