# The masks remembered so far as flat bytes; a part of gbnf.pyx.
#
# Counts (states, masks, listed tokens, tokens of the vocabulary); of each state its
# number and its mask's; of each mask how many tokens it lists or -1 for bits; the
# tokens listed; the bits.

cdef enum:
    MASK_COUNTS = 4


cdef bytes _masks_image(Masks masks):
    cdef dict numbers = {}
    cdef list states = [], kinds = [], ids = [], bits = []
    cdef _Mask mask
    for state, found in list(masks.by_state.items()):
        mask = <_Mask?>found
        if id(mask) not in numbers:
            numbers[id(mask)] = len(kinds)
            if mask.ids is None:
                kinds.append(-1)
                bits.append(mask.bits)
            else:
                kinds.append(len(mask.ids))
                ids.extend(mask.ids)
        states.append(state)
        states.append(numbers[id(mask)])
    counts = (len(states) // 2, len(kinds), len(ids), masks.trie.n_tokens)
    return b"".join(
        (
            array("q", counts).tobytes(),
            array("i", states).tobytes(),
            array("i", kinds).tobytes(),
            array("I", ids).tobytes(),
            *bits,
        )
    )


cdef int _take_masks(Masks masks, bytes image) except -1:
    """Puts an image's masks into an empty memory, after a check."""
    cdef int64_t[MASK_COUNTS] counts
    cdef const char *at = PyBytes_AS_STRING(image)
    if len(image) < <int64_t>sizeof(counts):
        raise ValueError("the image is too short")
    memcpy(counts, at, sizeof(counts))
    cdef int64_t n_states = counts[0], n_masks = counts[1], n_ids = counts[2]
    cdef int64_t n_tokens = masks.trie.n_tokens
    for count in counts:
        if not 0 <= count <= INT32_MAX:
            raise ValueError("the image has impossible counts")
    cdef int64_t size = 4 * _words(n_tokens)
    cdef int64_t bits_at = <int64_t>sizeof(counts) + 4 * (
        2 * n_states + n_masks + n_ids
    )
    if counts[3] != n_tokens or len(image) < bits_at:
        raise ValueError("the image's size does not fit its counts")
    cdef const int32_t *states = <const int32_t *>(at + sizeof(counts))
    cdef const int32_t *kinds = states + 2 * n_states
    cdef const uint32_t *ids = <const uint32_t *>(kinds + n_masks)
    cdef int64_t i, k, used = 0
    cdef list found = []
    cdef _Mask mask
    for i in range(n_masks):
        mask = _Mask.__new__(_Mask)
        if kinds[i] < 0:
            if len(image) - bits_at < size:
                raise ValueError("the image's size does not fit its counts")
            mask.bits = image[bits_at : bits_at + size]
            bits_at += size
            if not _is_mask(<const uint32_t *>PyBytes_AS_STRING(mask.bits), n_tokens):
                raise ValueError("a mask in the image has tokens that there are not")
        else:
            if kinds[i] > FEW or kinds[i] > n_ids - used:
                raise ValueError("the image's size does not fit its counts")
            for k in range(used, used + kinds[i]):
                if ids[k] >= n_tokens or k > used and ids[k] <= ids[k - 1]:
                    raise ValueError("a mask in the image has impossible tokens")
            mask.ids = tuple([ids[k] for k in range(used, used + kinds[i])])
            used += kinds[i]
        mask.number()
        found.append(mask)
    if used != n_ids or bits_at != len(image):
        raise ValueError("the image's size does not fit its counts")
    for i in range(n_states):
        masks.automaton._check(states[2 * i])
        if not 0 <= states[2 * i + 1] < n_masks:
            raise ValueError("the image's numbers lead out of it")
        masks._remembered(states[2 * i], <_Mask>found[states[2 * i + 1]])
    return 0


cdef bint _is_mask(const uint32_t *words, int64_t n_tokens) noexcept nogil:
    """Whether these are bits of more than FEW tokens, and of none that is not there."""
    cdef int64_t i, count = 0
    if n_tokens & 31 and words[n_tokens >> 5] >> (n_tokens & 31):
        return False
    for i in range(_words(n_tokens)):
        count += _ones(words[i])
    return count > FEW
