# cython: language_level=3
"""Similarity of two words for the matcher: bounded optimal string alignment distance.

Insertions, deletions, substitutions and swaps of neighbours each cost 1. Words longer
than 31 characters are compared as different unless equal: no device name needs them.
"""

cdef enum:
    MAX_LENGTH = 31


cdef int _distance(str a, str b, int limit):
    """Distance of a and b, or limit + 1 as soon as it is certain to exceed limit."""
    cdef int rows[3][MAX_LENGTH + 1]
    cdef int length_a = <int>len(a)
    cdef int length_b = <int>len(b)
    cdef int i, j, best, value, lowest
    cdef int *current
    cdef int *previous
    cdef int *before
    cdef Py_UCS4 character
    for j in range(length_b + 1):
        rows[0][j] = j
    for i in range(1, length_a + 1):
        current = rows[i % 3]
        previous = rows[(i - 1) % 3]
        before = rows[(i + 1) % 3]
        current[0] = i
        lowest = i
        character = a[i - 1]
        for j in range(1, length_b + 1):
            best = previous[j - 1] + (character != b[j - 1])
            value = previous[j] + 1
            if value < best:
                best = value
            value = current[j - 1] + 1
            if value < best:
                best = value
            if i > 1 and j > 1 and character == b[j - 2] and a[i - 2] == b[j - 1]:
                value = before[j - 2] + 1
                if value < best:
                    best = value
            current[j] = best
            if best < lowest:
                lowest = best
        if lowest > limit:
            return limit + 1
    return rows[length_a % 3][length_b]


def distance(str a not None, str b not None, int limit=3):
    """Edits between a and b (0 = equal), or limit + 1 if there are more than limit."""
    if a == b:
        return 0
    if len(a) > MAX_LENGTH or len(b) > MAX_LENGTH or abs(len(a) - len(b)) > limit:
        return limit + 1
    return min(_distance(a, b, limit), limit + 1)


def similarity(str a not None, str b not None):
    """1.0 for equal words down to 0.0 for words that are no spelling of each other.

    Words below four letters must be equal; up to seven letters one edit is allowed,
    above that two. The first two letters must share one, which keeps "light" and
    "night" apart from being typos of one another only by luck.
    """
    cdef Py_ssize_t longest, shortest
    cdef int edits, limit
    if a == b:
        return 1.0
    longest = max(len(a), len(b))
    shortest = min(len(a), len(b))
    if shortest < 4 or longest > MAX_LENGTH:
        return 0.0
    limit = 1 if longest < 8 else 2
    if longest - shortest > limit:
        return 0.0
    if not (a[0] == b[0] or a[0] == b[1] or a[1] == b[0] or a[1] == b[1]):
        return 0.0
    edits = _distance(a, b, limit)
    if edits > limit:
        return 0.0
    return 1.0 - <double>edits / longest


cdef class Vocabulary:
    """The words of a home, and which of them a spoken word may be.

    `singles[i]` is `words[i]` without its plural s, `sounds[i]` how it sounds ("" where
    that says too little). `synonyms` maps a word that people say to words of the home.
    """

    cdef list _words
    cdef list _singles
    cdef dict _of_sound
    cdef dict _synonyms
    cdef dict _known

    def __init__(self, words, singles, sounds, synonyms):
        self._words = list(words)
        self._singles = list(singles)
        self._of_sound = {}
        for word, sound in zip(words, sounds):
            if sound:
                self._of_sound.setdefault(sound, []).append(word)
        self._synonyms = dict(synonyms)
        self._known = {}

    def hits(self, str text not None, str single not None, str sound not None,
             bint fuzzy):
        """Words of the home that `text` may be -> likeness; do not change the result.

        Equal 1.0, another number 0.95, a synonym 0.9, else the similarity of spelling,
        or 0.75 for what sounds the same; the last two only if `fuzzy`.
        """
        cdef dict found
        cdef str word
        cdef double value
        cdef Py_ssize_t n
        key = (text, fuzzy)
        found = self._known.get(key)
        if found is not None:
            return found
        found = {}
        for n in range(len(self._words)):
            word = self._words[n]
            if word == text:
                found[word] = 1.0
            elif <str>self._singles[n] == single:
                found[word] = 0.95
            elif fuzzy:
                value = similarity(text, word)
                if value >= 0.7:
                    found[word] = value
        for word in self._synonyms.get(single, ()):
            if found.get(word, 0.0) < 0.9:
                found[word] = 0.9
        if fuzzy and sound:
            for word in self._of_sound.get(sound, ()):
                if found.get(word, 0.0) < 0.75:
                    found[word] = 0.75
        if len(self._known) > 5000:
            self._known.clear()
        self._known[key] = found
        return found
