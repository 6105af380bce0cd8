# The token side of the engine; a part of gbnf.pyx.

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport uint16_t
from libc.stdlib cimport malloc

cdef enum:
    FEW = 256  # a mask of no more tokens is kept as their list
    LONGEST_PIECE = 0xFFFF
    MOST_TOKENS = 1 << 24
    HEAD = 48  # bytes of the counts that an image begins with
    NOT_A_NUMBER = -2
    STATE_COST = 120  # bytes that one state's place in a cache takes, about
    MASK_COST = 300
    ID_COST = 40

cdef struct Node:
    uint32_t end  # the node after all that are below this one
    uint32_t first  # of its tokens; they end where the next node's begin
    uint16_t depth  # 1 for the first byte of a token
    uint8_t byte
    uint8_t unused

cdef struct Place:
    int32_t state
    uint32_t skip  # groups; what has only such characters need not be walked
    bint decided  # by the first place's run; if not so, what is skipped may follow


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


@cython.final
cdef class _Mask:
    """The tokens that may follow; states with the same tokens share one."""

    cdef tuple ids  # if they are few
    cdef bytes bits  # of few tokens: made when it is first asked for


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
        """The tokens that may follow, ascending; None if they are more than 256."""
        return self._find(state).ids

    def only(self, int32_t state) -> int:
        """The one token that may follow; -1 if none or more than one may."""
        cdef tuple ids = self._find(state).ids
        return ids[0] if ids is not None and len(ids) == 1 else -1

    def best(self, int32_t state, const float[::1] logits) -> int:
        """Of the tokens that may follow, the one of the highest logit; -1 if none may.

        The lowest one if there are several. `logits` has a float32 for each token of
        the vocabulary; if the highest of all may follow, no mask is made for that.

        Raises ValueError for another number of logits, and where one that counts is
        not a number.
        """
        self._ready()
        cdef int64_t n = self.trie.n_tokens, token = NONE, i
        if logits.shape[0] != n:
            raise ValueError(f"{logits.shape[0]} logits for {n} tokens")
        cdef _Mask mask = <_Mask>self.by_state.get(state)
        if n == 0 or state == NONE:
            return NONE
        cdef const float *values = &logits[0]
        if mask is None:
            self.automaton._check(state)
            with nogil:
                token = _highest(NULL, values, n)
            if token >= 0 and self.allows(state, token):
                return token
            mask = self._find(state)
        cdef const uint32_t *words
        token = NONE
        if mask.ids is None:
            words = <const uint32_t *>PyBytes_AS_STRING(mask.bits)
            with nogil:
                token = _highest(words, values, n)
        else:
            for i in mask.ids:
                if values[i] != values[i]:
                    token = NOT_A_NUMBER
                    break
                if token == NONE or values[i] > values[token]:
                    token = i
        if token == NOT_A_NUMBER:
            raise ValueError("a logit is not a number")
        return token

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
                count += _ones(words[i])
        if failed:
            raise self.automaton._failed(failed)
        cdef _Mask mask = _Mask.__new__(_Mask)
        if count <= FEW:
            mask.ids = _ids(words, n_words)
        else:
            mask.bits = bits
        return mask

    cdef _Mask _remembered(self, int32_t state, _Mask mask):
        """The mask as the cache has it; it is put there."""
        cdef object content = mask.bits if mask.ids is None else mask.ids
        cdef object known = self.by_content.get(content)
        cdef int64_t cost = STATE_COST
        if known is None:
            cost += MASK_COST
            cost += len(content) * (1 if mask.ids is None else ID_COST)
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
            self.by_content[content] = mask
        else:
            mask = <_Mask>known
        self.by_state[state] = mask
        self.used += cost
        return mask


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


cdef tuple _ids(const uint32_t *words, int64_t n_words):
    cdef list found = []
    cdef int64_t i, bit
    for i in range(n_words):
        if words[i]:
            for bit in range(32):
                if words[i] >> bit & 1:
                    found.append(32 * i + bit)
    return tuple(found)


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
    """Whether a walk stays inside: ends and tokens go forward, depths step by step."""
    cdef int64_t i, depth = 0
    for i in range(count):
        if (
            not i < nodes[i].end <= count
            or not 1 <= nodes[i].depth <= min(depth + 1, deepest)
            or nodes[i].first > nodes[i + 1].first
            # what is skipped ends where a node of no greater depth begins
            or nodes[nodes[i].end].depth > nodes[i].depth
        ):
            return False
        depth = nodes[i].depth
    return nodes[count].depth == 0 and nodes[count].first <= n_listed


cdef int64_t _highest(
    const uint32_t *words, const float *values, int64_t n
) noexcept nogil:
    """Where the highest value is, of those with a bit, or of all if `words` is NULL."""
    cdef int64_t i, j, found = NONE
    cdef float highest = 0
    cdef const float *block
    cdef uint32_t word
    cdef int higher
    for i in range(_words(n)):
        word = words[i] if words != NULL else <uint32_t>0xFFFFFFFF
        if not word:
            continue
        block = values + 32 * i
        if found >= 0 and 32 * i + 32 <= n:
            # most blocks end here: all their values are compared at once
            higher = 0
            for j in range(32):
                higher |= (block[j] > highest) | (block[j] != block[j])
            if not higher:
                continue
        for j in range(min(<int64_t>32, n - 32 * i)):
            if not word >> j & 1:
                continue
            if block[j] != block[j]:
                return NOT_A_NUMBER
            if found == NONE or block[j] > highest:
                highest = block[j]
                found = 32 * i + j
    return found


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
