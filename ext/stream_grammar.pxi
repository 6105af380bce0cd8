# Events from the tags of a grammar's rules; a part of gbnf.pyx.

cdef enum:  # what a byte can be part of, a bit for each tag
    OUTSIDE = 1
    SPOKEN = 2
    OBJECTS = 4 | 8 | 16
    ANYTHING = 31
    STATE_BITS = 21

cdef uint32_t STATES = (<uint32_t>1 << STATE_BITS) - 1
cdef uint32_t UNASKED_MOVE = 0xFFFFFFFF
cdef uint32_t REFUSED = 0xFFFFFFFE

cdef tuple _KINDS = (None, None, "call", "query", "reply")

TAGS = {"speech": 1, "call": 2, "query": 3, "reply": 4}
"""What the tags of a `TaggedGrammar` mean."""

REFUSED_BYTE = "the grammar does not allow this byte"


@cython.final
cdef class TaggedGrammar:
    """What each byte means in each state of an automaton with tagged rules.

    The tags are those of `TAGS`; other tags mean nothing. It is filled while parsers
    use it, of which there can be many. It takes at most as much memory as the
    automaton's own table, whose errors it raises; ValueError for a tagged rule that
    is inside of another.
    """

    cdef Automaton automaton
    cdef uint32_t *moves  # for each state and class: state, may be part of, ends there
    cdef int64_t room  # in states

    def __cinit__(self, Automaton automaton not None):
        self.automaton = automaton
        if automaton.first >= 0:
            self._make_room()

    def __dealloc__(self):
        free(self.moves)

    @property
    def memory(self) -> int:
        """Bytes taken by the table."""
        return self.room * self.automaton.machine.n_classes * sizeof(uint32_t)

    cdef int _make_room(self) except -1:
        """A row for each state that there is."""
        cdef Machine *m = &self.automaton.machine
        if m.n_states <= self.room:
            return 0
        if m.n_states > STATES:
            raise self.automaton._failed(TOO_MUCH_MEMORY)
        cdef int64_t room = max(m.room_states, m.n_states)
        cdef int64_t row = m.n_classes * <int64_t>sizeof(uint32_t)
        cdef void *new = realloc(self.moves, <size_t>(room * row))
        if new == NULL:
            raise MemoryError
        self.moves = <uint32_t *>new
        memset(
            self.moves + self.room * m.n_classes,
            0xFF,
            <size_t>((room - self.room) * row),
        )
        self.room = room
        return 0

    cdef int _find(self, int32_t state, uint8_t kind) except -1:
        """Fills one place of the table."""
        cdef Machine *m = &self.automaton.machine
        cdef uint32_t move = 0
        PyThread_acquire_lock(self.automaton.lock, WAIT_LOCK)
        cdef int32_t following = _step(m, state, kind)
        cdef int32_t nested = 0
        if following >= 0:
            nested = _parts(m, state, kind, &move)
        PyThread_release_lock(self.automaton.lock)
        if following < NONE or nested < NONE:
            raise self.automaton._failed(min(following, nested))
        if nested == NONE:
            raise ValueError("a tagged rule is inside of another; tag only one of them")
        if following == NONE:
            move = REFUSED
        else:
            self._make_room()
            move = move << STATE_BITS | <uint32_t>following
        self.moves[<int64_t>state * m.n_classes + kind] = move
        return 0


cdef int32_t _parts(
    Machine *m, int32_t state, uint8_t kind, uint32_t *parts
) noexcept nogil:
    """What a byte of this class is part of, and above that which of it ends there.

    Returns NONE if a tagged rule is inside of another, below that if it costs too
    much.
    """
    cdef State *origin
    cdef uint8_t byte = m.samples[kind]
    cdef int64_t i
    cdef uint64_t configuration
    cdef uint32_t stack, tag, goes_on = 0
    cdef int32_t stays
    cdef Instruction *step
    parts[0] = 0
    for i in range(m.states[state].count):
        origin = m.states + state
        configuration = m.pool[origin.first + i]
        step = m.program + (configuration >> 32)
        if step.op != OP_BYTES or not step.a <= byte <= step.b:
            continue
        stack = <uint32_t>configuration
        tag = m.stacks[stack].tag
        if tag:
            while not m.tags[m.stacks[stack].back]:
                stack = m.stacks[stack].parent
            if m.stacks[m.stacks[stack].parent].tag:
                return NONE
        if tag > 4:
            tag = 0
        parts[0] |= <uint32_t>1 << tag
        if not goes_on >> tag & 1:
            stays = 1 if tag == 0 else _stays(m, configuration + (<uint64_t>1 << 32))
            if stays < 0:
                return stays
            goes_on |= <uint32_t>stays << tag
    parts[0] |= (parts[0] & ~goes_on) << 5
    return 0


cdef int32_t _stays(Machine *m, uint64_t configuration) noexcept nogil:
    """Whether a tagged rule can go on from here: 1 or 0, or what went wrong."""
    cdef int64_t waiting = 1, looked = 0, pushed
    cdef uint32_t stack
    cdef Instruction *step
    m.stamp += 1
    if m.stamp == 0:
        memset(m.stamps, 0, m.seen_slots * sizeof(uint32_t))
        m.stamp = 1
    m.work[0] = configuration
    while waiting:
        waiting -= 1
        configuration = m.work[waiting]
        if looked * 2 >= m.seen_slots and not _more_seen(m):
            return TOO_MUCH_MEMORY
        if not _new(m, configuration):
            continue
        looked += 1
        if looked > m.max_work:
            return TOO_MUCH_WORK
        if not _room_for_work(m, waiting + 4):
            return TOO_MUCH_MEMORY
        step = m.program + (configuration >> 32)
        stack = <uint32_t>configuration
        if step.op == OP_RETURN:
            if stack and not m.tags[m.stacks[stack].back]:
                m.work[waiting] = _at(m.stacks[stack].back, m.stacks[stack].parent)
                waiting += 1
        elif step.op == OP_JUMP:
            m.work[waiting] = _at(step.a, stack)
            waiting += 1
        elif step.op == OP_SPLIT:
            m.work[waiting] = _at(step.a, stack)
            m.work[waiting + 1] = _at(step.b, stack)
            waiting += 2
        elif step.op == OP_CALL:
            if step.b >= 0:
                pushed = _push(m, step.b, stack)
                if pushed < 0:
                    return TOO_MUCH_MEMORY
                stack = <uint32_t>pushed
            m.work[waiting] = _at(step.a, stack)
            waiting += 1
        elif step.op != OP_BYTES or step.a <= step.b:
            return 1
    return 0


@cython.final
cdef class GrammarParser(_Held):
    """Feed it output that a grammar made or shall check; it returns the events.

    An object is known with the byte that its rule cannot go on after, else with the
    next one. What could be part of several rules waits for the byte that decides, or
    belongs to the lowest tag. A byte that the grammar refuses ends the events. What
    waits or is one object takes up to `limit` bytes.
    """

    cdef TaggedGrammar grammar
    cdef int32_t state
    cdef uint32_t part  # what all bytes since `item` can be part of, 0 at its start
    cdef bint begun, dropped, refused

    def __init__(self, TaggedGrammar grammar not None, *, int64_t limit=LONGEST):
        if self.grammar is not None:
            raise TypeError("a parser cannot be set up twice")
        super().__init__(limit=limit)
        self.grammar = grammar
        self.state = grammar.automaton.first

    cdef int _scan(self, const uint8_t *data, int64_t length, list events) except -1:
        cdef TaggedGrammar grammar = self.grammar
        cdef const uint8_t *classes = grammar.automaton.machine.classes
        cdef int64_t width = grammar.automaton.machine.n_classes
        cdef int64_t i = 0, start = 0
        cdef uint32_t move, inside
        if self.refused:
            return 0
        while i < length:
            i = _same_part(
                grammar.moves, classes, width, &self.state, self.part, data, i, length
            )
            if i == length:
                break
            move = REFUSED
            if self.state >= 0:
                move = grammar.moves[self.state * width + classes[data[i]]]
            if move == UNASKED_MOVE:
                grammar._find(self.state, classes[data[i]])
                continue
            if move == REFUSED:
                self._refuse(data, start, i, events)
                return 0
            inside = move >> STATE_BITS & ANYTHING
            if self.part and not self.part & inside:
                self._close(data, start, i, events)
            if self.part:
                if self.part != SPOKEN and self.part & inside == SPOKEN:
                    self._too_long(data, start, i, events)
                self.part &= inside
            else:
                start = i
                self.item = self.base + i
                self.begun = self.dropped = False
                self.part = inside
            if not self.begun and not self.part & ~<uint32_t>OBJECTS:
                self.begun = True
                events.append(_started(self.item))
            self.state = <int32_t>(move & STATES)
            i += 1
            if not self.part & ~(move >> STATE_BITS >> 5):
                self._close(data, start, i, events)
        if self.part == SPOKEN and not self.dropped:
            self._say(data, start, length, False, events)
        elif self.part & ~<uint32_t>OUTSIDE and not self._too_long(
            data, start, length, events
        ):
            self._keep(data, start, length)
        return 0

    cdef int _end(self, list events) except -1:
        cdef bint complete = not self.refused and self.grammar.automaton.accepting(
            self.state
        )
        if self.part and not self.refused:
            if complete or self.part == SPOKEN:
                self._close(NULL, 0, 0, events)
            elif self.begun and not self.dropped:
                self._report(NULL, 0, 0, "unfinished", events)
        events.append(Done(self.base, complete))
        return 0

    cdef int _close(
        self, const uint8_t *data, int64_t start, int64_t end, list events
    ) except -1:
        """Reports what ends here, as the lowest of its tags."""
        cdef uint32_t part = self.part
        cdef int tag = 1
        cdef str text
        self.part = 0
        if part == SPOKEN and not self.dropped:
            self._say(data, start, end, True, events)
        elif part & ~<uint32_t>OUTSIDE and not self._too_long(
            data, start, end, events
        ):
            while not part >> tag & 1:
                tag += 1
            if tag == 1:
                self._say(data, start, end, True, events)
                return 0
            if not self.begun:
                events.append(_started(self.item))
            text = self._take(data, start, end, 0, b"replace").rstrip()
            events.append(_object(<str>_KINDS[tag], text, self.item, True, None))
        self.size = 0
        return 0

    cdef int _refuse(
        self, const uint8_t *data, int64_t at, int64_t end, list events
    ) except -1:
        """Ends the events before data[end]."""
        if self.part == SPOKEN and not self.dropped:
            self._say(data, at, end, False, events)
        elif self.begun:
            self._too_long(data, at, end, events)
        self.size = 0
        self.refused = True
        cdef str byte = data[end:end + 1].decode(errors="replace")
        events.append(Malformed(byte, REFUSED_BYTE, self.base + end))
        return 0

    cdef bint _too_long(
        self, const uint8_t *data, int64_t start, int64_t end, list events
    ) except -1:
        """Whether data[start:end] is too much with what is held; it is dropped then."""
        if self.dropped:
            return True
        if self.size + end - start <= self.limit:
            return False
        self._report(
            data,
            start,
            start + self.limit - self.size,
            f"longer than {self.limit} bytes",
            events,
        )
        self.dropped = True
        return True

    cdef int _report(
        self, const uint8_t *data, int64_t start, int64_t end, str reason, list events
    ) except -1:
        cdef str text = self._take(data, start, end, 0, b"replace")
        events.append(Malformed(text, reason, self.item))
        return 0


cdef int64_t _same_part(
    const uint32_t *moves,
    const uint8_t *classes,
    int64_t width,
    int32_t *state,
    uint32_t part,
    const uint8_t *data,
    int64_t i,
    int64_t end,
) noexcept nogil:
    """Where the first byte is that is not simply one more of the same."""
    cdef int64_t current = state[0]
    cdef uint32_t move
    if current < 0:
        return i
    while i < end:
        move = moves[current * width + classes[data[i]]]
        if move >> STATE_BITS != part:
            break
        current = move & STATES
        i += 1
    state[0] = <int32_t>current
    return i
