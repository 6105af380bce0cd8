# Which tokens may follow in a state of a grammar; a part of gbnf.pyx.

cdef enum:
    FEW = 64  # a mask of no more tokens is kept as their list
    STATE_COST = 120  # bytes that one state's place in a cache takes, about
    MASK_COST = 300
    ID_COST = 40

cdef struct Place:
    int32_t state
    uint32_t skip  # groups; what has only such characters need not be walked
    bint decided  # by the first place's run; if not so, what is skipped may follow


@cython.final
cdef class _Mask:
    """The tokens that may follow; states with the same tokens share one."""

    cdef tuple ids  # if they are few
    cdef bytes bits  # of few tokens: made when it is first asked for
    cdef Py_hash_t code  # by its tokens

    cdef int number(self) except -1:
        """Find the code, many times quicker than Python's own hash of many bytes."""
        if self.ids is not None:
            self.code = hash(self.ids)
            return 0
        self.code = <Py_hash_t>_content_hash(
            <const uint32_t *>PyBytes_AS_STRING(self.bits), len(self.bits) // 4
        )
        return 0

    def __hash__(self):
        return self.code

    def __eq__(self, other):
        cdef _Mask mask = <_Mask?>other
        if self.ids is not None or mask.ids is not None:
            return self.ids == mask.ids
        return self.bits == mask.bits


@cython.final
cdef class Masks:
    """Which tokens may follow in which state, remembered.

    The memory for remembering is `limit` bytes, about; when it is full all is
    forgotten. The automaton has its own limits, and raises its own error.
    """

    cdef Automaton automaton
    cdef TokenTrie trie
    cdef dict by_state
    cdef dict by_content
    cdef int64_t limit, used
    cdef uint8_t members[256]  # of each class of bytes

    def __init__(
        self,
        Automaton automaton not None,
        TokenTrie trie not None,
        *,
        int64_t limit=16 << 20,
    ):
        if self.automaton is not None:
            raise TypeError("masks cannot be set up twice")
        self.by_state = {}
        self.by_content = {}
        self.limit = limit
        self.trie = trie
        memset(self.members, 0, sizeof(self.members))
        cdef int byte
        cdef uint8_t kind
        for byte in range(256):
            kind = automaton.machine.classes[byte]
            if self.members[kind] < 2:  # one, or more than one
                self.members[kind] += 1
        self.automaton = automaton

    @staticmethod
    def from_image(
        Automaton automaton not None,
        TokenTrie trie not None,
        bytes image not None,
        *,
        int64_t limit=16 << 20,
    ) -> Masks:
        """Masks that remember what those did whose `image` it is.

        They must have been of such an automaton and such a trie. Raises ValueError if
        the numbers in it do not fit these.
        """
        cdef Masks made = Masks(automaton, trie, limit=limit)
        _take_masks(made, image)
        return made

    @property
    def image(self) -> bytes:
        """What is remembered as flat bytes, in this machine's byte order."""
        self._ready()
        return _masks_image(self)

    @property
    def grammar(self) -> Automaton:
        """The automaton whose states they are asked about."""
        self._ready()
        return self.automaton

    @property
    def vocabulary(self) -> TokenTrie:
        """The trie of the tokens."""
        self._ready()
        return self.trie

    @property
    def states(self) -> int:
        """How many states' masks are remembered."""
        return len(self.by_state)

    @property
    def distinct(self) -> int:
        """How many different masks these have."""
        return len(self.by_content)

    @property
    def memory(self) -> int:
        """Bytes taken by what is remembered, about."""
        return self.used

    def allows(self, int32_t state, int64_t token) -> bool:
        """Whether the token may follow; an end token may where the text may end."""
        self._ready()
        self.trie._check(token)
        if self._is_end(token):
            return self.automaton.accepting(state)
        return self._after(state, token) != NONE

    def next_state(self, int32_t state, int64_t token) -> int:
        """The state after a token; DEAD if it cannot follow, and after an end token."""
        self._ready()
        self.trie._check(token)
        return self._after(state, token)

    def mask(self, int32_t state) -> bytes:
        """A bit for each token, the lowest first, set if the token may follow.

        A whole number of 32-bit words, in this machine's byte order.
        """
        cdef _Mask found = self._find(state)
        cdef bytes bits = found.bits
        if bits is not None:
            return bits
        cdef int64_t size = 4 * _words(self.trie.n_tokens)
        bits = PyBytes_FromStringAndSize(NULL, size)
        cdef uint32_t *words = <uint32_t *>PyBytes_AS_STRING(bits)
        memset(words, 0, <size_t>size)
        cdef int64_t token
        for token in found.ids:
            words[token >> 5] |= <uint32_t>1 << (token & 31)
        if self.used + size <= self.limit:
            self.used += size
            found.bits = bits
        return bits

    def allowed(self, int32_t state) -> tuple[int, ...] | None:
        """The tokens that may follow, ascending; None if they are more than 64."""
        return self._find(state).ids

    def forced(self, int32_t state, int64_t longest=4096) -> bytes:
        """The bytes that must follow: each the only one that can.

        They end where the text may end, where there is a choice or a token terminal,
        and after `longest` bytes.
        """
        self._ready()
        self.automaton._check(state)
        if state == NONE or longest <= 0:
            return b""
        cdef uint8_t *out = <uint8_t *>malloc(<size_t>longest)
        if out == NULL:
            raise MemoryError
        cdef int64_t length
        with nogil:
            PyThread_acquire_lock(self.automaton.lock, WAIT_LOCK)
            length = _forced(
                &self.automaton.machine, state, self.members, out, longest
            )
            PyThread_release_lock(self.automaton.lock)
        try:
            if length < 0:
                raise self.automaton._failed(<int32_t>length)
            return PyBytes_FromStringAndSize(<char *>out, length)
        finally:
            free(out)

    def settled(self, int32_t state, bytes text not None) -> int:
        """How many bytes no token can hold that reaches beyond the end of `text`.

        `state` is that behind the text: a token counts if it may go on there.
        """
        self._ready()
        self.automaton._check(state)
        cdef int64_t length = len(text)
        if state == NONE:
            return length
        cdef int32_t *path = <int32_t *>malloc(
            <size_t>(self.trie.deepest + 1) * sizeof(int32_t)
        )
        if path == NULL:
            raise MemoryError
        cdef const uint8_t *start = <const uint8_t *>PyBytes_AS_STRING(text)
        cdef int64_t place = max(length - max(self.trie.deepest, 1) + 1, 0)
        cdef int32_t found = 0
        with nogil:
            PyThread_acquire_lock(self.automaton.lock, WAIT_LOCK)
            while place < length:
                path[length - place] = state
                found = _continues(
                    &self.automaton.machine,
                    self.trie.nodes,
                    self.trie.n_nodes,
                    start + place,
                    length - place,
                    path,
                )
                if found:
                    break
                place += 1
            PyThread_release_lock(self.automaton.lock)
            free(path)
        if found < 0:
            raise self.automaton._failed(found)
        return place

    cdef int _ready(self) except -1:
        if self.automaton is None:
            raise TypeError("these masks were never set up")
        return 0

    cdef bint _is_end(self, int64_t token) noexcept:
        cdef int64_t i
        for i in range(self.trie.n_ends):
            if self.trie.ends[i] == token:
                return True
        return False

    cdef int32_t _after(self, int32_t state, int64_t token) except? -1:
        self.automaton._check(state)
        if state == NONE:
            return NONE
        cdef Machine *m = &self.automaton.machine
        cdef uint32_t start = self.trie.places[token]
        cdef int64_t length = self.trie.places[token + 1] - start
        cdef int32_t following = NONE
        PyThread_acquire_lock(self.automaton.lock, WAIT_LOCK)
        if length:
            following = _feed(m, state, self.trie.bytes_ + start, length)
        if m.states[state].tokens and _is_set(self.trie.terminals, token):
            following = _after_token(m, state, token, following)
        PyThread_release_lock(self.automaton.lock)
        if following < NONE:
            raise self.automaton._failed(following)
        return following

    cdef _Mask _find(self, int32_t state):
        self._ready()
        cdef object known = self.by_state.get(state)
        if known is not None:
            return <_Mask>known
        self.automaton._check(state)
        return self._remembered(state, self._computed(state))

    cdef _Mask _computed(self, int32_t state):
        """A new mask, by a walk over the trie."""
        cdef int64_t n_words = _words(self.trie.n_tokens)
        cdef bytes bits = PyBytes_FromStringAndSize(NULL, 4 * n_words)
        cdef uint32_t *words = <uint32_t *>PyBytes_AS_STRING(bits)
        cdef Place *path = <Place *>malloc(
            <size_t>(self.trie.deepest + 1) * sizeof(Place)
        )
        if path == NULL:
            raise MemoryError
        cdef int32_t failed = 0
        cdef int64_t count = 0, i
        with nogil:
            memset(words, 0, <size_t>(4 * n_words))
            if state != NONE:
                PyThread_acquire_lock(self.automaton.lock, WAIT_LOCK)
                path[0].state = state
                failed = _decide(&self.automaton.machine, self.trie, path, words)
                if not failed:
                    failed = _walk(&self.automaton.machine, self.trie, path, words)
                _name(&self.automaton.machine, self.trie, state, words)
                if self.automaton.machine.states[state].accepting:
                    for i in range(self.trie.n_ends):
                        _set(words, self.trie.ends[i])
                PyThread_release_lock(self.automaton.lock)
            free(path)
            for i in range(n_words):
                if words[i]:
                    count += _ones(words[i])
                    if count > FEW:
                        break
        if failed:
            raise self.automaton._failed(failed)
        cdef _Mask mask = _Mask.__new__(_Mask)
        if count <= FEW:
            mask.ids = _ids(words, n_words)
        else:
            mask.bits = bits
        mask.number()
        return mask

    cdef _Mask _remembered(self, int32_t state, _Mask mask):
        """The mask as the cache has it; it is put there."""
        cdef object known = self.by_content.get(mask)
        cdef int64_t cost = STATE_COST
        if known is None:
            cost += MASK_COST
            cost += len(mask.bits) if mask.ids is None else ID_COST * len(mask.ids)
        if self.used + cost > self.limit:
            self.by_state = {}
            self.by_content = {}
            self.used = 0
            if known is not None:
                mask = <_Mask>known
                return mask
            if cost > self.limit:
                return mask
        if known is None:
            self.by_content[mask] = mask
        else:
            mask = <_Mask>known
        self.by_state[state] = mask
        self.used += cost
        return mask


cdef uint64_t _content_hash(const uint32_t *words, int64_t n_words) noexcept nogil:
    """A number, below 2**63, that differs for different words nearly always."""
    cdef uint64_t lanes[4]
    cdef int64_t i, k
    for k in range(4):
        lanes[k] = <uint64_t>0x9E3779B97F4A7C15 * <uint64_t>(k + 1)
    for i in range(0, n_words - 3, 4):
        for k in range(4):
            lanes[k] = (lanes[k] ^ words[i + k]) * <uint64_t>0xBF58476D1CE4E5B9
            lanes[k] ^= lanes[k] >> 29
    for i in range(n_words & ~<int64_t>3, n_words):
        lanes[0] = (lanes[0] ^ words[i]) * <uint64_t>0xBF58476D1CE4E5B9
    lanes[0] = _mixed(lanes[0] ^ _mixed(lanes[1] ^ _mixed(lanes[2] ^ _mixed(lanes[3]))))
    return lanes[0] >> 1


cdef tuple _ids(const uint32_t *words, int64_t n_words):
    cdef list found = []
    cdef int64_t i, bit
    for i in range(n_words):
        if words[i]:
            for bit in range(32):
                if words[i] >> bit & 1:
                    found.append(32 * i + bit)
    return tuple(found)


cdef int32_t _decide(
    Machine *m, TokenTrie trie, Place *path, uint32_t *words
) noexcept nogil:
    """Sets the bits of the tokens that path[0]'s run decides; 0, or what went wrong.

    The rest of path[0] is filled in for a walk over all the others.
    """
    cdef const Slices *s = &trie.slices
    cdef int64_t n_words = _words(trie.n_tokens), i
    cdef Run run
    cdef int group
    cdef uint32_t token
    cdef const uint32_t *without
    cdef int32_t state = path[0].state
    path[0].decided = False
    path[0].skip = 0
    cdef int32_t failed
    if _run(m, state, s.most, &run) or not run.groups:
        return 0  # a walk over the tokens there are may still succeed
    path[0].decided = True
    path[0].skip = run.groups
    memcpy(words, s.text, <size_t>(4 * n_words))
    for group in range(N_GROUPS):
        if not run.groups >> group & 1:
            without = s.having[group]
            for i in range(n_words):
                words[i] &= ~without[i]
    if run.known == EXACT and run.length <= LONG:
        without = s.longer[run.length]
        for i in range(n_words):
            words[i] &= ~without[i]
    elif run.length < FOREVER:
        for i in range(s.n_longest):
            if s.lengths[i] <= run.length:
                break
            token = s.longest[i]
            if not words[token >> 5] >> (token & 31) & 1:
                continue
            if run.known == AT_LEAST:
                failed = _feed(
                    m,
                    state,
                    trie.bytes_ + trie.places[token],
                    trie.places[token + 1] - trie.places[token],
                )
                if failed >= 0:
                    continue
                if failed < NONE:
                    return failed
            words[token >> 5] &= ~(<uint32_t>1 << (token & 31))
    return 0


cdef int32_t _walk(
    Machine *m, TokenTrie trie, Place *path, uint32_t *words
) noexcept nogil:
    """Sets the bits of the tokens that may follow path[0]; 0, or what went wrong.

    Those are left out that it has decided. `path` gets a place for each depth.
    """
    cdef const Slices *s = &trie.slices
    cdef int64_t i = 0
    cdef uint32_t k, own
    cdef const Node *node
    cdef Place *before
    cdef Place *place
    cdef int32_t state
    cdef uint32_t decided = path[0].skip
    while i < trie.n_nodes:
        node = trie.nodes + i
        before = path + (node.depth - 1)
        if not s.below[i] & ~before.skip:
            if not before.decided:
                for k in range(node.first, trie.nodes[node.end].first):
                    _set(words, trie.listed[k])
            i = node.end
            continue
        state = _step(m, before.state, m.classes[node.byte])
        if state < 0:
            if state < NONE:
                return state
            i = node.end
            continue
        place = path + node.depth
        place.state = state
        own = s.groups[node.byte]
        if before.decided and (
            own & decided or (own >> CUT and node.depth > 1)
        ):
            place.decided = True
            place.skip = decided
        else:
            place.decided = False
            place.skip = 0
            if m.states[state].run.length == FOREVER:
                place.skip = m.states[state].run.groups
            for k in range(node.first, node[1].first):
                _set(words, trie.listed[k])
        i += 1
    return 0


cdef int32_t _continues(
    Machine *m,
    const Node *nodes,
    int64_t count,
    const uint8_t *text,
    int64_t length,
    int32_t *path,
) noexcept nogil:
    """Whether path[length] takes the rest of some longer token that begins with `text`.

    1, 0, or what went wrong. `path` gets the state at each depth.
    """
    cdef int64_t i = 0, stop = count, depth = 0
    cdef int32_t state
    while depth < length:  # down to the node of the text
        while i < stop and nodes[i].byte != text[depth]:
            i = nodes[i].end
        if i >= stop:
            return 0
        stop = nodes[i].end
        i += 1
        depth += 1
    while i < stop:
        state = _step(m, path[nodes[i].depth - 1], m.classes[nodes[i].byte])
        if state < NONE:
            return state
        if state == NONE:
            i = nodes[i].end
            continue
        if nodes[i].first < nodes[i + 1].first:
            return 1
        path[nodes[i].depth] = state
        i += 1
    return 0


cdef void _name(
    Machine *m, TokenTrie trie, int32_t state, uint32_t *words
) noexcept nogil:
    """Sets the bits of the tokens that a state's token terminals stand for."""
    cdef const State *origin = m.states + state
    cdef int64_t n_words = _words(trie.n_tokens), i, k, excluded = -1
    cdef bint before = False
    cdef Instruction *step
    if not origin.tokens:
        return
    for i in range(origin.count):
        step = m.program + (m.pool[origin.first + i] >> 32)
        if step.op == OP_TOKEN and step.a < trie.n_tokens:
            if _is_set(trie.terminals, step.a):
                _set(words, step.a)
    for i in range(origin.count):
        step = m.program + (m.pool[origin.first + i] >> 32)
        if step.op != OP_NOT_TOKEN:
            continue
        if excluded < 0:
            excluded = step.a
            before = excluded >= trie.n_tokens or _is_set(words, excluded)
            for k in range(n_words):
                words[k] |= trie.terminals[k]
            if not before:
                words[excluded >> 5] &= ~(<uint32_t>1 << (excluded & 31))
        elif step.a != excluded and not before:
            # what one excludes the other one lets through
            words[excluded >> 5] |= trie.terminals[excluded >> 5]
            before = True


cdef int64_t _forced(
    Machine *m, int32_t state, const uint8_t *members, uint8_t *out, int64_t longest
) noexcept nogil:
    """How many bytes are forced; `out` gets them."""
    cdef int64_t length = 0
    cdef int32_t kind, only, target, following
    while length < longest:
        if m.states[state].accepting or m.states[state].tokens:
            break
        only = NONE
        target = NONE
        for kind in range(m.n_classes):
            following = _step(m, state, <uint8_t>kind)
            if following < NONE:
                return following
            if following == NONE:
                continue
            if only != NONE or members[kind] > 1:
                return length
            only = kind
            target = following
        if only == NONE:
            break
        out[length] = m.samples[only]
        length += 1
        state = target
    return length
