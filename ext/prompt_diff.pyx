# cython: language_level=3, boundscheck=False, wraparound=False
"""Which blocks of a prompt are new, and which only look new.

Two sets of blocks are compared by key and by text: what has the same text need not be
evaluated again, whatever its key and wherever it stands.
"""


cdef class Diff:
    """How a set of blocks became another; numbers are places in the two of them.

    Every place of the first set is in exactly one of `kept`, `renamed`, `changed` (as
    the first of a pair) and `removed`; every place of the second in one of the first
    three (as the second of a pair) and `added`. `reordered` tells whether the blocks
    that are in both stand in another order.
    """

    cdef readonly list kept
    """Pairs with the same key and the same text."""
    cdef readonly list renamed
    """Pairs with the same text under another key."""
    cdef readonly list changed
    """Pairs with the same key and another text."""
    cdef readonly list added
    cdef readonly list removed
    cdef readonly bint reordered

    @property
    def empty(self):
        """Whether both sets hold the same blocks, in whatever order."""
        return not (self.renamed or self.changed or self.added or self.removed)


def diff(tuple before_keys not None, tuple before_texts not None,
         tuple after_keys not None, tuple after_texts not None):
    """Compare two sets of blocks, each as a tuple of keys and one of texts.

    A key that stands twice is taken by its first place only. Raises ValueError where
    there are not as many keys as texts. Takes time in proportion to the blocks.
    """
    cdef Py_ssize_t n = len(before_keys)
    cdef Py_ssize_t m = len(after_keys)
    cdef Py_ssize_t i, j
    cdef Py_ssize_t last = -1
    cdef Diff found = Diff.__new__(Diff)
    cdef dict places = {}
    cdef dict texts = {}
    cdef list match = [-1] * m
    cdef bytearray used = bytearray(n)
    cdef object place
    cdef list same
    if n != len(before_texts) or m != len(after_texts):
        raise ValueError("there must be a text for every key")
    found.kept, found.renamed, found.changed = [], [], []
    found.added, found.removed, found.reordered = [], [], False
    for i in range(n):
        places.setdefault(before_keys[i], i)
    for j in range(m):
        place = places.get(after_keys[j])
        if place is None:
            continue
        i = place
        if not used[i] and before_texts[i] == after_texts[j]:
            used[i] = 1
            match[j] = i
            found.kept.append((i, j))
    if len(found.kept) < n:
        for i in range(n - 1, -1, -1):  # so that the first place is taken first
            if not used[i]:
                texts.setdefault(before_texts[i], []).append(i)
        for j in range(m):
            if match[j] != -1:
                continue
            same = texts.get(after_texts[j])
            if same:
                i = same.pop()
                used[i] = 1
                match[j] = i
                found.renamed.append((i, j))
    for j in range(m):
        if match[j] != -1:
            continue
        place = places.get(after_keys[j])
        if place is not None and not used[<Py_ssize_t>place]:
            i = place
            used[i] = 1
            match[j] = i
            found.changed.append((i, j))
        else:
            found.added.append(j)
    for i in range(n):
        if not used[i]:
            found.removed.append(i)
    for j in range(m):
        i = match[j]
        if i != -1:
            if i < last:
                found.reordered = True
                break
            last = i
    return found
