# Which tokens a state decides without a walk; a part of gbnf.pyx.
#
# Characters belong to groups, the same for every grammar and vocabulary. In a state
# inside a text, all characters of most groups do the same: they lead back to it or, in
# a counted repeat, to the state with one character less to come. Tokens made of these
# groups only are decided by their length; a walk leaves their parts of the trie out.

cdef enum:
    N_GROUPS = 32
    LOWER = 0  # group of the letters a to z
    CUT = 31  # of a continuation byte that continues nothing
    LONG = 16  # characters; longer tokens are few and tried one by one
    CHAIN = 32  # states of a counted repeat that are looked at

cdef enum:
    UNASKED = 0
    EXACT = 1  # a longer text of these groups is a dead end
    AT_LEAST = 2

cdef enum:
    FOREVER = 0x7FFFFFFF

cdef struct Slices:
    uint32_t groups[256]  # the bit of each byte's group; a lead byte's: the character's
    uint32_t *below  # the groups of each node of the trie and of all nodes below it
    uint32_t *text  # a bit for each token that may be text
    uint32_t *having[N_GROUPS]  # a bit for each token that has such a character
    uint32_t *longer[LONG + 1]  # ... that has more than so many characters
    uint32_t *longest  # the tokens of more than LONG characters, longest first
    int32_t *lengths  # of these
    int64_t n_longest
    int32_t most  # characters of a token
    int64_t size  # bytes


cdef void _fill_groups(uint32_t *groups) noexcept nogil:
    cdef int byte, i = 0
    cdef const char *alone = b"\"`\\'<>{}[],:;._-/# \t\n\r|"
    for byte in range(256):
        if byte < 0x20 or byte == 0x7F:
            groups[byte] = <uint32_t>1 << 3
        elif byte < 0x80:
            groups[byte] = <uint32_t>1 << 4
        elif byte < 0xC0 or byte > 0xF4:
            groups[byte] = <uint32_t>1 << CUT
        elif byte < 0xE0:
            groups[byte] = <uint32_t>1 << 5
        elif byte < 0xF0:
            groups[byte] = <uint32_t>1 << 6
        else:
            groups[byte] = <uint32_t>1 << 7
    for byte in range(26):
        groups[97 + byte] = <uint32_t>1 << LOWER
        groups[65 + byte] = <uint32_t>1 << 1
    for byte in range(10):
        groups[48 + byte] = <uint32_t>1 << 2
    while alone[i]:
        groups[<uint8_t>alone[i]] = <uint32_t>1 << (8 + i)
        i += 1


cdef int _slice(TokenTrie trie) except -1:
    """Makes what a trie's walks are shortened by."""
    cdef Slices *s = &trie.slices
    cdef int64_t n_words = _words(trie.n_tokens), i, token, room
    cdef int group, length
    cdef uint32_t *words
    cdef uint32_t *below
    _fill_groups(s.groups)
    room = trie.n_nodes + (1 + N_GROUPS + LONG + 1) * n_words
    words = <uint32_t *>calloc(<size_t>room + 1, sizeof(uint32_t))
    below = <uint32_t *>calloc(<size_t>trie.deepest + 2, sizeof(uint32_t))
    if words == NULL or below == NULL:
        free(words)
        free(below)
        raise MemoryError
    s.below = words
    s.text = words + trie.n_nodes
    for group in range(N_GROUPS):
        s.having[group] = s.text + (1 + group) * n_words
    for length in range(LONG + 1):
        s.longer[length] = s.text + (1 + N_GROUPS + length) * n_words
    s.size = 4 * room
    with nogil:
        _fill_below(s, trie.nodes, trie.n_nodes, below)
        free(below)
        for i in range(trie.n_listed):
            token = trie.listed[i]
            if trie.places[token] < trie.places[token + 1]:
                _slice_token(trie, token)
    s.longest = <uint32_t *>calloc(<size_t>s.n_longest + 1, sizeof(uint32_t))
    s.lengths = <int32_t *>calloc(<size_t>s.n_longest + 1, sizeof(int32_t))
    if s.longest == NULL or s.lengths == NULL:
        raise MemoryError
    s.size += 8 * s.n_longest
    cdef list order = []
    for i in range(n_words if s.n_longest else 0):
        for group in range(32 if s.longer[LONG][i] else 0):
            if s.longer[LONG][i] >> group & 1:
                token = 32 * i + group
                order.append((-_characters(trie, token), token))
    order.sort()
    s.n_longest = len(order)
    for i, (length, token) in enumerate(order):
        s.longest[i] = <uint32_t>token
        s.lengths[i] = -length
    return 0


cdef void _unslice(Slices *s) noexcept nogil:
    free(s.below)
    free(s.longest)
    free(s.lengths)


cdef void _fill_below(
    Slices *s, const Node *nodes, int64_t count, uint32_t *below
) noexcept nogil:
    """`below` is scratch for each depth: the groups of the last nodes there, zero."""
    cdef int64_t i
    cdef uint32_t found
    for i in range(count - 1, -1, -1):
        found = below[nodes[i].depth + 1]
        below[nodes[i].depth + 1] = 0
        if nodes[i].byte >= 0xC2:
            found &= ~(<uint32_t>1 << CUT)
        found |= s.groups[nodes[i].byte]
        s.below[i] = found
        below[nodes[i].depth] |= found


cdef int32_t _characters(TokenTrie trie, int64_t token) noexcept nogil:
    """How many a token has; a cut one counts."""
    cdef int64_t i
    cdef int32_t count = 0
    for i in range(trie.places[token], trie.places[token + 1]):
        count += trie.bytes_[i] & 0xC0 != 0x80
    return count


cdef void _slice_token(TokenTrie trie, int64_t token) noexcept nogil:
    cdef Slices *s = &trie.slices
    cdef const uint8_t *text = trie.bytes_ + trie.places[token]
    cdef int64_t i, size = trie.places[token + 1] - trie.places[token]
    cdef int32_t length = _characters(trie, token), group
    cdef uint32_t groups = 0
    _set(s.text, <uint32_t>token)
    for i in range(size):
        if i == 0 or text[i] & 0xC0 != 0x80:
            groups |= s.groups[text[i]]
    for group in range(N_GROUPS):
        if groups >> group & 1:
            _set(s.having[group], <uint32_t>token)
    for group in range(min(length, LONG + 1)):
        _set(s.longer[group], <uint32_t>token)
    s.most = max(s.most, length)
    if length > LONG:
        s.n_longest += 1


cdef int32_t _run(
    Machine *m, int32_t state, int32_t longest, Run *out
) noexcept nogil:
    """What a state decides by groups of texts of `longest` characters at most.

    `out.groups` is 0 where that is little, as in most states. 0, or what went wrong.
    """
    cdef int32_t chain[CHAIN]
    cdef uint32_t groups[CHAIN]
    cdef uint32_t found = 0
    cdef int32_t depth = 0, following, failed
    cdef uint8_t letter = m.classes[97]
    cdef Run run
    while True:
        run = m.states[state].run
        if run.known:
            break
        run.groups = ~(<uint32_t>1 << CUT)
        run.length = 0
        run.known = AT_LEAST
        if depth == min(CHAIN, longest):
            break
        following = _step(m, state, letter)
        if following < NONE:
            return following
        if following == NONE and depth == 0:
            break
        failed = _groups_to(m, state, following, &found)
        if failed:
            return failed
        if following == NONE:
            run.groups = found
            run.known = EXACT
            break
        if not found >> LOWER & 1:
            break
        if following == state:
            run.groups = found
            run.length = FOREVER
            run.known = EXACT
            break
        chain[depth] = state
        groups[depth] = found
        depth += 1
        state = following
    if run.known == EXACT:
        m.states[state].run = run
    while depth:
        depth -= 1
        run.groups &= groups[depth]
        if run.length < FOREVER:
            run.length += 1
        # what is known of a long repeat's later states would be too little for them
        if run.known == EXACT or run.length >= LONG:
            m.states[chain[depth]].run = run
    out[0] = run
    if run.known == AT_LEAST and run.length < min(LONG, longest) or not run.length:
        out.groups = 0
    return 0


cdef int32_t _groups_to(
    Machine *m, int32_t state, int32_t target, uint32_t *out
) noexcept nogil:
    """The groups of which all characters lead from `state` to `target`."""
    cdef uint32_t all_ = 0, others = <uint32_t>1 << CUT
    cdef int32_t kind, following
    for kind in range(m.n_classes):
        if not m.ascii[kind]:
            continue
        following = _step(m, state, <uint8_t>kind)
        if following < NONE:
            return following
        if following == target:
            all_ |= m.ascii[kind]
        elif m.ascii[kind] >> LOWER & 1:
            out[0] = 0
            return 0
        else:
            others |= m.ascii[kind]
    cdef int32_t[7] answers = [
        _reaches(m, state, 0xC2, 0xDF, 0x80, 0xBF, 1, target),
        _reaches(m, state, 0xE0, 0xE0, 0xA0, 0xBF, 2, target),
        _reaches(m, state, 0xE1, 0xEC, 0x80, 0xBF, 2, target),
        _reaches(m, state, 0xED, 0xED, 0x80, 0x9F, 2, target),
        _reaches(m, state, 0xEE, 0xEF, 0x80, 0xBF, 2, target),
        _reaches(m, state, 0xF0, 0xF0, 0x90, 0xBF, 3, target),
        _reaches(m, state, 0xF1, 0xF3, 0x80, 0xBF, 3, target),
    ]
    cdef int32_t last = _reaches(m, state, 0xF4, 0xF4, 0x80, 0x8F, 3, target)
    cdef int i
    if last < 0:
        return last
    for i in range(7):
        if answers[i] < 0:
            return answers[i]
    if answers[0]:
        all_ |= <uint32_t>1 << 5
    if answers[1] and answers[2] and answers[3] and answers[4]:
        all_ |= <uint32_t>1 << 6
    if answers[5] and answers[6] and last:
        all_ |= <uint32_t>1 << 7
    out[0] = all_ & ~others
    return 0


cdef int32_t _reaches(
    Machine *m,
    int32_t state,
    int32_t low,
    int32_t high,
    int32_t next_low,
    int32_t next_high,
    int more,
    int32_t target,
) noexcept nogil:
    """1 if a byte from low to high and `more` continuation bytes always lead there.

    The first of these is from next_low to next_high. To NONE leads what cannot even
    begin. Else 0, or what went wrong.
    """
    cdef int32_t kind, following, answer, before = UNKNOWN
    for kind in range(m.classes[low], m.classes[high] + 1):
        following = _step(m, state, <uint8_t>kind)
        if following < NONE:
            return following
        if following == before:
            continue
        before = following
        if not more or following == NONE or target == NONE:
            if following != target:
                return 0
            continue
        answer = _reaches(
            m, following, next_low, next_high, 0x80, 0xBF, more - 1, target
        )
        if answer <= 0:
            return answer
    return 1
