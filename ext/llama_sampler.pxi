# Choosing a token from the logits of a Decoder. Part of llama_decode.

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
