# A model's tokens as a trie of their bytes; a part of gbnf.pyx.

cimport cython
from libc.stdint cimport uint16_t
from libc.stdlib cimport malloc

cdef enum:
    LONGEST_PIECE = 0xFFFF
    MOST_TOKENS = 1 << 24
    HEAD = 48  # bytes of the counts that an image begins with

cdef struct Node:
    uint32_t end  # the node after all that are below this one
    uint32_t first  # of its tokens; they end where the next node's begin
    uint16_t depth  # 1 for the first byte of a token
    uint8_t byte
    uint8_t unused


include "token_slices.pxi"


@cython.final
cdef class TokenTrie:
    """A model's tokens as a tree of their bytes, flat, in depth-first order.

    `pieces` has the bytes of each token, `allowed` says which may be text at all
    (None: all); control tokens must not. Tokens without bytes and those that no UTF-8
    text contains are left out. `end_tokens` end the text, they never are text.

    A token terminal of a grammar stands for any token that has bytes, may it be text or
    not, but for end tokens and those that begin with NUL.

    Raises ValueError for numbers of tokens that there are not, and for what is too big.
    """

    # counts, end tokens, terminals, places of pieces, pieces, nodes, their tokens
    cdef bytes data
    cdef int64_t n_tokens, n_ends, n_bytes, n_nodes, n_listed, deepest
    cdef const uint32_t *ends
    cdef const uint32_t *terminals  # a bit for each token that a terminal can stand for
    cdef const uint32_t *places
    cdef const uint8_t *bytes_
    cdef const Node *nodes  # one more than n_nodes
    cdef const uint32_t *listed
    cdef Slices slices

    def __init__(self, pieces not None, allowed=None, end_tokens=()):
        self._take(_image(list(pieces), allowed, end_tokens))

    def __dealloc__(self):
        _unslice(&self.slices)

    @staticmethod
    def from_image(bytes image not None) -> TokenTrie:
        """The trie whose `image` it is; raises ValueError if it is none."""
        cdef TokenTrie trie = TokenTrie.__new__(TokenTrie)
        trie._take(image)
        return trie

    @property
    def image(self) -> bytes:
        """All of it as flat bytes, in this machine's byte order."""
        return self.data

    @property
    def vocabulary(self) -> bytes:
        """The part of the image that says which tokens there are."""
        return _vocabulary(self.data, self.n_tokens, self.n_ends, self.n_bytes)

    @property
    def tokens(self) -> int:
        """How many tokens the vocabulary has, allowed or not."""
        return self.n_tokens

    @property
    def text_tokens(self) -> int:
        """How many tokens may be text."""
        return self.n_listed

    @property
    def nodes(self) -> int:
        """How many different beginnings the text tokens have."""
        return self.n_nodes

    @property
    def end_tokens(self) -> tuple[int, ...]:
        """The tokens that end the text, ascending."""
        return tuple([self.ends[i] for i in range(self.n_ends)])

    def piece(self, int64_t token) -> bytes:
        """The bytes of a token; none if it may not be text."""
        self._check(token)
        cdef uint32_t start = self.places[token]
        return PyBytes_FromStringAndSize(
            <const char *>self.bytes_ + start, self.places[token + 1] - start
        )

    cdef int _check(self, int64_t token) except -1:
        if not 0 <= token < self.n_tokens:
            raise ValueError(f"there is no token {token}")
        return 0

    cdef int _take(self, bytes image) except -1:
        """Takes over an image after a check, so that nothing can lead out of it."""
        if self.data is not None:
            raise TypeError("a trie cannot be filled twice")
        cdef int64_t counts[6]
        cdef int64_t size = len(image)
        if size < HEAD:
            raise ValueError("the image is too short")
        cdef const uint8_t *start = <const uint8_t *>PyBytes_AS_STRING(image)
        memcpy(counts, start, HEAD)
        cdef int i
        for i in range(6):
            if not 0 <= counts[i] <= INT32_MAX:
                raise ValueError("the image has impossible counts")
        cdef int64_t ends_at = HEAD
        cdef int64_t terminals_at = ends_at + 4 * counts[1]
        cdef int64_t places_at = terminals_at + 4 * _words(counts[0])
        cdef int64_t bytes_at = places_at + 4 * (counts[0] + 1)
        cdef int64_t nodes_at = bytes_at + _padded(counts[2])
        cdef int64_t listed_at = nodes_at + <int64_t>sizeof(Node) * (counts[3] + 1)
        if size != listed_at + 4 * counts[4] or counts[5] > LONGEST_PIECE:
            raise ValueError("the image's size does not fit its counts")
        cdef const uint32_t *ends = <const uint32_t *>(start + ends_at)
        cdef const uint32_t *terminals = <const uint32_t *>(start + terminals_at)
        cdef const uint32_t *places = <const uint32_t *>(start + places_at)
        cdef const Node *nodes = <const Node *>(start + nodes_at)
        cdef const uint32_t *listed = <const uint32_t *>(start + listed_at)
        cdef bint good
        with nogil:
            good = (
                _are_ids(ends, counts[1], counts[0])
                and _are_ids(listed, counts[4], counts[0])
                and _are_terminals(terminals, counts[0], ends, counts[1])
                and _are_places(places, counts[0], counts[2])
                and _is_tree(nodes, counts[3], counts[4], counts[5])
            )
        if not good:
            raise ValueError("the image's numbers lead out of it")
        self.n_tokens = counts[0]
        self.n_ends = counts[1]
        self.n_bytes = counts[2]
        self.n_nodes = counts[3]
        self.n_listed = counts[4]
        self.deepest = counts[5]
        self.ends = ends
        self.terminals = terminals
        self.places = places
        self.bytes_ = start + bytes_at
        self.nodes = nodes
        self.listed = listed
        self.data = image
        return _slice(self)


def vocabulary_image(pieces not None, allowed=None, end_tokens=()) -> bytes:
    """What `TokenTrie.vocabulary` would be for these, without making the trie."""
    cdef list chosen = list(pieces)
    cdef list ends = _chosen_ends(len(chosen), end_tokens)
    cdef bytes terminals = _terminals(chosen, ends)
    return _plain(_text_pieces(chosen, allowed, ends), ends, terminals)


cdef bytes _image(list pieces, object allowed, object end_tokens):
    cdef list ends = _chosen_ends(len(pieces), end_tokens)
    cdef list chosen = _text_pieces(pieces, allowed, ends)
    cdef bytes plain = _plain(chosen, ends, _terminals(pieces, ends))
    cdef list order = sorted(
        [token for token, piece in enumerate(chosen) if piece], key=chosen.__getitem__
    )
    cdef int64_t n_listed = len(order), n_nodes = 0, deepest = 0, n_bytes = 0
    cdef int64_t n_tokens = len(chosen)
    cdef bytes piece, before = b""
    cdef int64_t token
    for piece in chosen:
        n_bytes += len(piece)
    for token in order:
        piece = chosen[token]
        n_nodes += len(piece) - _shared(piece, before)
        deepest = max(deepest, len(piece))
        before = piece
    cdef int64_t nodes_at = HEAD + len(plain) - 16
    cdef int64_t size = nodes_at + <int64_t>sizeof(Node) * (n_nodes + 1) + 4 * n_listed
    cdef bytes image = PyBytes_FromStringAndSize(NULL, size)
    cdef char *start = PyBytes_AS_STRING(image)
    cdef int64_t[6] counts = [
        n_tokens, len(ends), n_bytes, n_nodes, n_listed, deepest
    ]
    memcpy(start, counts, HEAD)
    memcpy(start + HEAD, PyBytes_AS_STRING(plain) + 16, <size_t>(len(plain) - 16))
    cdef Node *nodes = <Node *>(start + nodes_at)
    cdef uint32_t *listed = <uint32_t *>(
        start + nodes_at + <int64_t>sizeof(Node) * (n_nodes + 1)
    )
    _fill(nodes, listed, order, chosen, deepest)
    return image


cdef int _fill(
    Node *nodes, uint32_t *listed, list order, list chosen, int64_t deepest
) except -1:
    """Writes nodes and their tokens; `order` sorts the tokens by their bytes."""
    # of each depth, the node on the way to the newest one
    cdef array path = array("i", [0]) * (deepest + 1)
    cdef int *open_ = path.data.as_ints
    cdef int node = 0
    cdef int64_t depth = 0, common, i = 0, token
    cdef bytes piece, before = b""
    cdef const uint8_t *text
    memset(nodes, 0, sizeof(Node))
    for token in order:
        piece = chosen[token]
        text = piece
        common = _shared(piece, before)
        while depth > common:
            nodes[open_[depth]].end = <uint32_t>node
            depth -= 1
        while depth < len(piece):
            memset(nodes + node, 0, sizeof(Node))
            nodes[node].byte = text[depth]
            nodes[node].first = <uint32_t>i
            depth += 1
            nodes[node].depth = <uint16_t>depth
            open_[depth] = node
            node += 1
        listed[i] = <uint32_t>token
        i += 1
        before = piece
    while depth:
        nodes[open_[depth]].end = <uint32_t>node
        depth -= 1
    memset(nodes + node, 0, sizeof(Node))
    nodes[node].end = <uint32_t>node
    nodes[node].first = <uint32_t>i
    return 0


cdef list _chosen_ends(int64_t n_tokens, object end_tokens):
    if n_tokens > MOST_TOKENS:
        raise ValueError(f"a vocabulary of {n_tokens} tokens is too big")
    cdef list ends = sorted(set(end_tokens))
    for token in ends:
        if not 0 <= token < n_tokens:
            raise ValueError(f"there is no token {token} to end a text")
    return ends


cdef list _text_pieces(list pieces, object allowed, list ends):
    """The pieces, empty where the token may not be text."""
    if allowed is not None and len(allowed) != len(pieces):
        raise ValueError(
            f"{len(allowed)} tokens are allowed or not, but there are {len(pieces)}"
        )
    cdef list chosen = [b""] * len(pieces)
    cdef int64_t token
    cdef bytes piece
    for token in range(len(pieces)):
        piece = pieces[token]
        if piece is None:
            raise TypeError("a token's piece must be bytes")
        if len(piece) > LONGEST_PIECE:
            raise ValueError(f"token {token} has {len(piece)} bytes: too many")
        if (allowed is None or allowed[token]) and _is_in_utf8(piece, len(piece)):
            chosen[token] = piece
    for token in ends:
        chosen[token] = b""
    return chosen


cdef bytes _terminals(list pieces, list ends):
    """A bit for each token that a token terminal can stand for."""
    cdef int64_t token
    cdef bytes piece
    cdef bytes bits = bytes(4 * _words(len(pieces)))
    cdef uint32_t *words = <uint32_t *>PyBytes_AS_STRING(bits)
    cdef set excluded = set(ends)
    for token in range(len(pieces)):
        piece = pieces[token]
        if piece and not piece.startswith(b"\0") and token not in excluded:
            _set(words, <uint32_t>token)
    return bits


cdef bytes _plain(list chosen, list ends, bytes terminals):
    """Two counts, end tokens, terminals, places of pieces, pieces, padded."""
    cdef list places = [0]
    cdef int64_t place = 0
    cdef bytes piece
    for piece in chosen:
        place += len(piece)
        places.append(place)
    if place > INT32_MAX:
        raise ValueError("the tokens have too many bytes")
    return b"".join(
        (
            array("q", [len(chosen), len(ends)]).tobytes(),
            array("I", ends).tobytes(),
            terminals,
            array("I", places).tobytes(),
            b"".join(chosen),
            bytes(_padded(place) - place),
        )
    )


cdef bytes _vocabulary(bytes image, int64_t n_tokens, int64_t n_ends, int64_t n_bytes):
    cdef int64_t length = 4 * (n_ends + _words(n_tokens) + n_tokens + 1)
    length += _padded(n_bytes)
    return array("q", [n_tokens, n_ends]).tobytes() + image[HEAD : HEAD + length]


cdef inline int64_t _padded(int64_t size) noexcept nogil:
    return (size + 3) & ~<int64_t>3


cdef inline int64_t _words(int64_t n_tokens) noexcept nogil:
    return (n_tokens + 31) >> 5


cdef inline void _set(uint32_t *words, uint32_t token) noexcept nogil:
    words[token >> 5] |= <uint32_t>1 << (token & 31)


cdef inline bint _is_set(const uint32_t *words, int64_t token) noexcept nogil:
    return words[token >> 5] >> (token & 31) & 1


cdef inline int _ones(uint32_t word) noexcept nogil:
    word -= (word >> 1) & <uint32_t>0x55555555
    word = (word & <uint32_t>0x33333333) + ((word >> 2) & <uint32_t>0x33333333)
    word = (word + (word >> 4)) & <uint32_t>0x0F0F0F0F
    return <int>((word * <uint32_t>0x01010101) >> 24)


cdef int64_t _shared(bytes one, bytes other):
    """How many bytes both begin with."""
    cdef int64_t length = min(len(one), len(other)), i = 0
    cdef const uint8_t *a = one
    cdef const uint8_t *b = other
    while i < length and a[i] == b[i]:
        i += 1
    return i


cdef bint _is_in_utf8(const uint8_t *data, int64_t length) noexcept nogil:
    """Whether some UTF-8 text contains these bytes, perhaps with cut characters."""
    cdef int64_t i = 0
    cdef int missing
    cdef uint8_t low, high
    while i < length and data[i] & 0xC0 == 0x80:
        i += 1
    if i > 3:
        return False
    while i < length:
        low = 0x80
        high = 0xBF
        if data[i] < 0x80:
            missing = 0
        elif 0xC2 <= data[i] <= 0xDF:
            missing = 1
        elif 0xE0 <= data[i] <= 0xEF:
            missing = 2
            if data[i] == 0xE0:
                low = 0xA0
            elif data[i] == 0xED:
                high = 0x9F
        elif 0xF0 <= data[i] <= 0xF4:
            missing = 3
            if data[i] == 0xF0:
                low = 0x90
            elif data[i] == 0xF4:
                high = 0x8F
        else:
            return False
        i += 1
        while missing and i < length:
            if not low <= data[i] <= high:
                return False
            low = 0x80
            high = 0xBF
            missing -= 1
            i += 1
    return True


cdef bint _are_ids(const uint32_t *ids, int64_t count, int64_t n) noexcept nogil:
    cdef int64_t i
    for i in range(count):
        if ids[i] >= n:
            return False
    return True


cdef bint _are_terminals(
    const uint32_t *terminals, int64_t n, const uint32_t *ends, int64_t n_ends
) noexcept nogil:
    """Whether they are tokens that there are and that do not end the text."""
    cdef int64_t i
    for i in range(n_ends):
        if _is_set(terminals, ends[i]):
            return False
    return not n & 31 or not terminals[n >> 5] >> (n & 31)


cdef bint _are_places(
    const uint32_t *places, int64_t count, int64_t n_bytes
) noexcept nogil:
    cdef int64_t i
    if places[0] != 0 or places[count] != n_bytes:
        return False
    for i in range(count):
        if places[i] > places[i + 1]:
            return False
    return True


cdef bint _is_tree(
    const Node *nodes, int64_t count, int64_t n_listed, int64_t deepest
) noexcept nogil:
    """Whether a walk stays inside: nodes lie in each other, tokens go forward."""
    cdef int64_t i
    for i in range(count - 1, -1, -1):  # so what is below a node is known to be good
        if (
            not i < nodes[i].end <= count
            or not 1 <= nodes[i].depth <= deepest
            or nodes[i].first > nodes[i + 1].first
            or not _are_in_row(nodes, i + 1, nodes[i].end, nodes[i].depth + 1)
        ):
            return False
    return (
        _are_in_row(nodes, 0, count, 1)
        and nodes[count].depth == 0
        and nodes[count].first <= n_listed
    )


cdef bint _are_in_row(
    const Node *nodes, int64_t start, int64_t end, int depth
) noexcept nogil:
    """Whether nodes of this depth, each with all below it, fill the place."""
    while start < end:
        if nodes[start].depth != depth:
            return False
        start = nodes[start].end
    return start == end
