# cython: language_level=3, boundscheck=True, wraparound=False
"""Routines that do not know where they will lie, and the linker that puts them in rows.

The instructions are those of gbnf.pyx. In a routine, places count from its beginning,
and a call names its target by a number in the list of the routine's targets.
"""

from cpython.array cimport array, clone
from libc.stdint cimport int32_t
from libc.stdlib cimport free, realloc

cdef enum:
    OP_BYTES = 0
    OP_CALL = 1
    OP_RETURN = 2
    OP_SPLIT = 3
    OP_JUMP = 4

cdef struct Step:
    int32_t op
    int32_t a
    int32_t b

cdef array _NUMBERS = array("i")


cdef class Routine:
    """Instructions that can be put anywhere.

    A target is another routine or the name of one. More than `limit` instructions
    raise OverflowError.
    """

    cdef Step *steps
    cdef Py_ssize_t length, room, limit
    cdef list names
    cdef dict numbers

    def __cinit__(self, Py_ssize_t limit):
        self.limit = limit
        self.names = []
        self.numbers = {}

    def __dealloc__(self):
        free(self.steps)

    def __len__(self):
        return self.length

    @property
    def targets(self) -> tuple:
        """What is called."""
        return tuple(self.names)

    def add(self, int32_t op, int32_t a=0, int32_t b=0) -> int:
        """Appends an instruction; its place."""
        self._reserve(1)
        return self._put(op, a, b)

    def call(self, target) -> None:
        """Appends a call."""
        number = self.numbers.setdefault(target, len(self.names))
        if number == len(self.names):
            self.names.append(target)
        self.add(OP_CALL, number)

    def text(self, bytes data not None) -> None:
        """Appends these bytes."""
        self._reserve(len(data))
        self._text(data)

    def words(self, texts) -> None:
        """Appends a choice of texts, of which there are some."""
        cdef Py_ssize_t last = len(texts) - 1, i, first = self.length, split, at
        for i, text in enumerate(texts):
            data = (<str?>text).encode()
            self._reserve(len(data) + 2)
            if i == last:
                self._text(data)
                break
            split = self._put(OP_SPLIT, <int32_t>self.length + 1, 0)
            self._text(data)
            self._put(OP_JUMP, -1, 0)
            self.steps[split].b = <int32_t>self.length
        at = first
        while at < self.length and self.steps[at].op == OP_SPLIT:
            at = self.steps[at].b
            self.steps[at - 1].a = <int32_t>self.length

    def aim(self, Py_ssize_t place, *, int32_t a=-1, int32_t b=-1) -> None:
        """Gives an instruction its numbers; -1 leaves one as it is."""
        if not 0 <= place < self.length:
            raise IndexError(place)
        if a >= 0:
            self.steps[place].a = a
        if b >= 0:
            self.steps[place].b = b

    def end(self) -> None:
        """Appends the return; calls behind which nothing is left to do come back there.
        """
        cdef Py_ssize_t i
        cdef int32_t back
        self.add(OP_RETURN)
        for i in range(self.length):
            if self.steps[i].op == OP_CALL:
                back = <int32_t>i + 1
                while self.steps[back].op == OP_JUMP:
                    back = self.steps[back].a
                self.steps[i].b = -1 if self.steps[back].op == OP_RETURN else back

    cdef int _reserve(self, Py_ssize_t count) except -1:
        cdef Py_ssize_t room = self.room
        cdef Step *grown
        if self.length + count > self.limit:
            raise OverflowError(f"more than {self.limit} instructions")
        if self.length + count > room:
            room = max(2 * room, self.length + count, 16)
            grown = <Step *>realloc(self.steps, room * sizeof(Step))
            if grown == NULL:
                raise MemoryError
            self.steps = grown
            self.room = room
        return 0

    cdef Py_ssize_t _put(self, int32_t op, int32_t a, int32_t b) noexcept:
        cdef Step *step = self.steps + self.length
        step.op = op
        step.a = a
        step.b = b
        self.length += 1
        return self.length - 1

    cdef void _text(self, bytes data) noexcept:
        cdef const unsigned char *cursor = data
        cdef Py_ssize_t i
        for i in range(len(data)):
            self._put(OP_BYTES, cursor[i], cursor[i])


def link(str root not None, find, *, Py_ssize_t limit, dict tags not None):
    """A program that begins with the routine `root`, and the tags of its calls.

    `find(name)` has the routine of a name. `tags` has the number of a name; a call of
    such a name comes back to a place of its own, by which its number is given. More
    than `limit` instructions raise OverflowError.
    """
    cdef dict places = {}
    cdef dict named = {}
    cdef list order = []
    cdef dict tagged = {}
    cdef Py_ssize_t total = 0, at = 0, i
    cdef Routine routine, target
    cdef array program
    cdef Step step
    named[root] = routine = find(root)
    places[routine] = 0
    order.append(routine)
    total = routine.length
    while at < len(order):
        routine = order[at]
        at += 1
        for name in routine.names:
            if type(name) is Routine:
                target = name
            elif name in named:
                continue
            else:
                named[name] = target = find(name)
            if target not in places:
                places[target] = total
                order.append(target)
                total += target.length
                if total > limit:
                    raise OverflowError(f"more than {limit} instructions")
    if total > limit:
        raise OverflowError(f"more than {limit} instructions")
    program = clone(_NUMBERS, 3 * total, zero=False)
    cdef int *out = program.data.as_ints
    cdef int32_t base = 0
    cdef list aims, marks
    for routine in order:
        aims = [
            places[name if type(name) is Routine else named[name]]
            for name in routine.names
        ]
        marks = [tags.get(name, 0) for name in routine.names] if tags else []
        for i in range(routine.length):
            step = routine.steps[i]
            out[0] = step.op
            out[1] = step.a
            out[2] = step.b
            if step.op == OP_CALL:
                out[1] = <int32_t>aims[step.a]
                if marks and marks[step.a]:
                    out[2] = base + <int32_t>i + 1
                    tagged[out[2]] = marks[step.a]
                elif step.b >= 0:
                    out[2] = base + step.b
            elif step.op == OP_SPLIT:
                out[1] = base + step.a
                out[2] = base + step.b
            elif step.op == OP_JUMP:
                out[1] = base + step.a
            out += 3
        base += <int32_t>routine.length
    return program, tagged
