# cython: language_level=3, boundscheck=True, wraparound=False
"""Byte automaton of a grammar: states are made when they are first reached.

A program for a machine with a return stack says what the grammar allows; `Automaton`
runs it on all paths at once. A state is a set of configurations (position in the
program, return stack), sorted and interned, as are the stacks: so recursion works, and
what is regular becomes a plain table. Bytes that the program never tells apart share a
column of the table.

A program is an array of instructions of three numbers each:

    BYTES  low high     one byte from low to high (none if low > high), then the next
    CALL   target back  the routine at target, then back (-1: nothing is left to do)
    RETURN              the routine's end; of the first routine, the end of the text
    SPLIT  one other    both
    JUMP   target
    TOKEN  id           one token of the model's vocabulary, then the next
    NOT_TOKEN  id       one token, any other one, then the next

No byte leads through the last two: they are for `Masks`, which knows the vocabulary.

A call can carry a tag (1 to 31): what is read until its routine ends is inside the tag.
A state knows which tags its configurations are inside of.

All methods may be called from several threads.
"""

from cpython.array cimport array
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.pythread cimport (
    PyThread_acquire_lock,
    PyThread_allocate_lock,
    PyThread_free_lock,
    PyThread_release_lock,
    PyThread_type_lock,
    WAIT_LOCK,
)
from libc.stdint cimport INT32_MAX, int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, qsort, realloc
from libc.string cimport memcmp, memcpy, memmove, memset

cdef enum:
    OP_BYTES = 0
    OP_CALL = 1
    OP_RETURN = 2
    OP_SPLIT = 3
    OP_JUMP = 4
    OP_TOKEN = 5
    OP_NOT_TOKEN = 6

cdef enum:
    UNKNOWN = -2
    NONE = -1
    TOO_MUCH_WORK = -3
    TOO_MUCH_MEMORY = -4

BYTES = OP_BYTES
CALL = OP_CALL
RETURN = OP_RETURN
SPLIT = OP_SPLIT
JUMP = OP_JUMP
TOKEN = OP_TOKEN
NOT_TOKEN = OP_NOT_TOKEN

DEAD = NONE
"""The state that nothing leads out of."""

cdef struct Instruction:
    int32_t op
    int32_t a
    int32_t b

cdef struct Stack:
    int32_t back
    uint32_t parent
    uint32_t tag  # of the innermost tagged call in it, 0 for none

cdef struct Run:
    uint32_t groups  # a bit for each; what only has characters of them
    int32_t length  # can follow, up to so many characters
    int32_t known

cdef struct State:
    int64_t first  # of its configurations in the pool
    int32_t count
    int32_t accepting
    uint32_t tags  # a bit for each tag of a configuration; the lowest: outside of all
    bint tokens  # whether a configuration waits for a token
    Run run

cdef struct Machine:
    Instruction *program
    uint8_t *tags  # of a call, by the instruction that it comes back to
    int32_t length
    uint8_t classes[256]
    uint8_t samples[256]  # a byte of each class
    uint32_t ascii[256]  # of each class, the groups of characters that it is part of
    int32_t n_classes
    # interned stacks; number 0 is the empty one
    Stack *stacks
    int64_t n_stacks, room_stacks
    uint32_t *stack_table
    int64_t stack_slots
    # interned states
    State *states
    int32_t *rows
    int64_t n_states, room_states
    uint32_t *state_table  # number + 1
    int64_t state_slots
    uint64_t *pool
    int64_t n_pool, room_pool
    # scratch of one closure
    uint64_t *work
    int64_t room_work
    uint64_t *out
    int64_t room_out
    uint64_t *seen
    uint32_t *stamps
    int64_t seen_slots
    uint32_t stamp
    int64_t used, limit  # bytes
    int64_t max_work  # configurations


cdef class Automaton:
    """The states that a program can be in; see the module.

    `limit` bounds the memory in bytes, `work` the configurations looked at for one
    new state. What goes beyond raises `failure(text)`. `tags` has the tag of a call by
    the instruction that it comes back to, which no other call may share.
    """

    cdef Machine machine
    cdef PyThread_type_lock lock
    cdef object failure
    cdef int32_t first

    def __cinit__(
        self,
        array program not None,
        failure not None,
        *,
        int64_t limit=64 << 20,
        int64_t work=1 << 17,
        dict tags=None,
    ):
        self.failure = failure
        self.lock = PyThread_allocate_lock()
        if self.lock == NULL:
            raise MemoryError
        cdef const int32_t[::1] numbers = program
        self.machine.limit = limit
        self.machine.max_work = min(work, 1 << 30)
        if not _load(&self.machine, numbers):
            raise self._failed(TOO_MUCH_MEMORY)
        cdef int64_t back
        cdef int tag
        for back, tag in (tags or {}).items():
            if not 0 <= back < self.machine.length or not 0 < tag < 32:
                raise ValueError(f"tag {tag} at instruction {back} is not valid")
            self.machine.tags[back] = <uint8_t>tag
        if not _prepare(&self.machine):
            raise self._failed(TOO_MUCH_MEMORY)
        cdef int32_t state = _closure(&self.machine, 1, 0)
        if state < NONE:
            raise self._failed(state)
        self.first = state

    def __dealloc__(self):
        _release(&self.machine)
        if self.lock != NULL:
            PyThread_free_lock(self.lock)

    @property
    def start(self) -> int:
        """The state before the first byte; DEAD if the grammar matches nothing."""
        return self.first

    @property
    def states(self) -> int:
        """How many states have been made."""
        return self.machine.n_states

    @property
    def memory(self) -> int:
        """Bytes taken by program, states and scratch."""
        return self.machine.used

    @property
    def byte_classes(self) -> int:
        """How many kinds of bytes the program tells apart."""
        return self.machine.n_classes

    @property
    def image(self) -> bytes:
        """Program and states as flat bytes, in this machine's byte order."""
        return _automaton_image(self)

    @staticmethod
    def from_image(
        bytes image not None,
        failure not None,
        *,
        int64_t limit=64 << 20,
        int64_t work=1 << 17,
    ) -> Automaton:
        """The automaton whose `image` it is, its states with their numbers.

        Raises ValueError if it is none, and `failure(text)` as the class does.
        """
        return _automaton_from(image, failure, limit, work)

    def step(self, int32_t state, int byte) -> int:
        """The state after one byte; DEAD if it cannot follow."""
        if not 0 <= byte <= 255:
            raise ValueError(f"{byte} is not a byte")
        self._check(state)
        if state == NONE:
            return NONE
        PyThread_acquire_lock(self.lock, WAIT_LOCK)
        state = _step(&self.machine, state, self.machine.classes[byte])
        PyThread_release_lock(self.lock)
        if state < NONE:
            raise self._failed(state)
        return state

    def feed(self, int32_t state, bytes data not None) -> int:
        """The state after these bytes; DEAD if they cannot follow."""
        self._check(state)
        cdef const uint8_t *cursor = data
        cdef int64_t length = len(data)
        with nogil:
            PyThread_acquire_lock(self.lock, WAIT_LOCK)
            state = _feed(&self.machine, state, cursor, length)
            PyThread_release_lock(self.lock)
        if state < NONE:
            raise self._failed(state)
        return state

    def accepting(self, int32_t state) -> bool:
        """Whether the text may end here."""
        self._check(state)
        if state == NONE:
            return False
        PyThread_acquire_lock(self.lock, WAIT_LOCK)
        cdef bint found = self.machine.states[state].accepting
        PyThread_release_lock(self.lock)
        return found

    def final(self, int32_t state) -> bool:
        """Whether the text must end here: it may, and nothing can follow."""
        self._check(state)
        if state == NONE:
            return False
        PyThread_acquire_lock(self.lock, WAIT_LOCK)
        cdef State *here = self.machine.states + state
        cdef bint found = here.accepting and not here.count
        PyThread_release_lock(self.lock)
        return found

    def tags(self, int32_t state) -> int:
        """A bit for each tag that a way to go on is inside of; bit 0: of none."""
        self._check(state)
        if state == NONE:
            return 0
        PyThread_acquire_lock(self.lock, WAIT_LOCK)
        cdef uint32_t found = self.machine.states[state].tags
        PyThread_release_lock(self.lock)
        return found

    def match(self, bytes data not None) -> bool:
        """Whether the whole of the bytes is a text of the grammar."""
        return self.accepting(self.feed(self.first, data))

    cdef int _check(self, int32_t state) except -1:
        if not NONE <= state < self.machine.n_states:
            raise ValueError(f"there is no state {state}")
        return 0

    cdef object _failed(self, int32_t code):
        if code == TOO_MUCH_WORK:
            return self.failure(
                f"one byte leads to more than {self.machine.max_work} ways to go on"
            )
        return self.failure(
            f"its states need more memory than the {self.machine.limit} bytes allowed"
        )


cdef int _load(Machine *m, const int32_t[::1] numbers) except -1:
    """Copies the program after a check, so that nothing below can leave it.

    Whether there was memory for it.
    """
    cdef Py_ssize_t count = numbers.shape[0] // 3
    if count < 1 or numbers.shape[0] != 3 * count or count > 1 << 26:
        raise ValueError("a program has instructions of three numbers")
    m.program = <Instruction *>_grown(m, NULL, 0, count, sizeof(Instruction))
    m.tags = <uint8_t *>_zeroed(m, count, sizeof(uint8_t))
    if m.program == NULL or m.tags == NULL:
        return False
    m.length = <int32_t>count
    cdef Py_ssize_t i
    cdef Instruction *step
    cdef bint good
    cdef uint8_t edges[257]
    memset(edges, 0, sizeof(edges))
    for i in range(count):
        step = m.program + i
        step.op = numbers[3 * i]
        step.a = numbers[3 * i + 1]
        step.b = numbers[3 * i + 2]
        if step.op == OP_BYTES:
            good = 0 <= step.a <= 255 and 0 <= step.b <= 255 and i + 1 < count
            if good and step.a <= step.b:
                edges[step.a] = 1
                edges[step.b + 1] = 1
        elif step.op == OP_CALL:
            good = 0 <= step.a < count and -1 <= step.b < count
        elif step.op == OP_SPLIT:
            good = 0 <= step.a < count and 0 <= step.b < count
        elif step.op == OP_JUMP:
            good = 0 <= step.a < count
        elif step.op == OP_TOKEN or step.op == OP_NOT_TOKEN:
            good = step.a >= 0 and i + 1 < count
        else:
            good = step.op == OP_RETURN
        if not good:
            raise ValueError(f"instruction {i} of the program is not valid")
    cdef int byte, number = 0
    for byte in range(256):
        if byte and edges[byte]:
            number += 1
        m.classes[byte] = <uint8_t>number
        m.samples[number] = <uint8_t>byte
    m.n_classes = number + 1
    cdef uint32_t groups[256]
    _fill_groups(groups)
    for byte in range(128):
        m.ascii[m.classes[byte]] |= groups[byte]
    return True


cdef bint _prepare(Machine *m) noexcept nogil:
    """First tables; whether there was memory for them."""
    m.stack_slots = 256
    m.stack_table = <uint32_t *>_zeroed(m, m.stack_slots, sizeof(uint32_t))
    m.state_slots = 256
    m.state_table = <uint32_t *>_zeroed(m, m.state_slots, sizeof(uint32_t))
    m.seen_slots = 1024
    m.seen = <uint64_t *>_zeroed(m, m.seen_slots, sizeof(uint64_t))
    m.stamps = <uint32_t *>_zeroed(m, m.seen_slots, sizeof(uint32_t))
    m.n_stacks = 1
    if (
        m.stack_table == NULL
        or m.state_table == NULL
        or m.seen == NULL
        or m.stamps == NULL
        or not _room_for_stacks(m)
        or not _room_for_work(m, 4)
        or not _room_for_out(m, 1)
    ):
        return False
    m.stacks[0].back = 0
    m.stacks[0].parent = 0
    m.stacks[0].tag = 0
    m.work[0] = 0
    return True


cdef void _release(Machine *m) noexcept nogil:
    free(m.program)
    free(m.tags)
    free(m.stacks)
    free(m.stack_table)
    free(m.states)
    free(m.rows)
    free(m.state_table)
    free(m.pool)
    free(m.work)
    free(m.out)
    free(m.seen)
    free(m.stamps)


cdef int32_t _feed(
    Machine *m, int32_t state, const uint8_t *data, int64_t length
) noexcept nogil:
    cdef int64_t i
    cdef int32_t following
    for i in range(length):
        if state < 0:
            break
        following = m.rows[<int64_t>state * m.n_classes + m.classes[data[i]]]
        if following == UNKNOWN:
            following = _explore(m, state, m.classes[data[i]])
        state = following
    return state


cdef int32_t _step(Machine *m, int32_t state, uint8_t kind) noexcept nogil:
    cdef int32_t following = m.rows[<int64_t>state * m.n_classes + kind]
    return following if following != UNKNOWN else _explore(m, state, kind)


cdef int32_t _explore(Machine *m, int32_t state, uint8_t kind) noexcept nogil:
    """Makes the state that a class of bytes leads to and notes it in the table.

    It is noted for the classes beside it, too, as far as they are the same here.
    """
    cdef State *origin = m.states + state
    cdef int32_t byte = m.samples[kind], low = 0, high = 255
    cdef int64_t i, count = 0
    cdef uint64_t configuration
    cdef Instruction *step
    if not _room_for_work(m, origin.count + 4):
        return TOO_MUCH_MEMORY
    for i in range(origin.count):
        configuration = m.pool[origin.first + i]
        step = m.program + (configuration >> 32)
        if step.op != OP_BYTES:
            continue
        if step.a > byte:
            high = min(high, step.a - 1)
        elif step.b < byte:
            low = max(low, step.b + 1)
        else:
            low = max(low, step.a)
            high = min(high, step.b)
            m.work[count] = configuration + (<uint64_t>1 << 32)
            count += 1
    cdef int32_t following = NONE
    if count:
        following = _closure(m, count, 0)
    cdef int32_t *row
    if following >= NONE:
        row = m.rows + <int64_t>state * m.n_classes
        for i in range(m.classes[low], m.classes[high] + 1):
            row[i] = following
    return following


cdef int32_t _after_token(
    Machine *m, int32_t state, int64_t token, int32_t by_bytes
) noexcept nogil:
    """The state after a token that bytes lead to `by_bytes` with."""
    cdef State *origin = m.states + state
    cdef State *beside = m.states + max(by_bytes, 0)
    cdef int64_t i, count = 0
    cdef uint64_t configuration
    cdef Instruction *step
    if not _room_for_work(m, origin.count + beside.count + 4):
        return TOO_MUCH_MEMORY
    for i in range(origin.count):
        configuration = m.pool[origin.first + i]
        step = m.program + (configuration >> 32)
        if (
            step.op == OP_TOKEN and step.a == token
            or step.op == OP_NOT_TOKEN and step.a != token
        ):
            m.work[count] = configuration + (<uint64_t>1 << 32)
            count += 1
    if not count or by_bytes < NONE:
        return by_bytes
    if by_bytes == NONE:
        return _closure(m, count, 0)
    for i in range(beside.count):
        m.work[count + i] = m.pool[beside.first + i]
    return _closure(m, count + beside.count, beside.accepting)


cdef int32_t _closure(
    Machine *m, int64_t waiting, int32_t accepting
) noexcept nogil:
    """The state of all that can be reached from work[:waiting] without a byte.

    It accepts if something there does, or already by what it was called with.
    """
    cdef int64_t found = 0, looked = 0
    cdef uint64_t configuration
    cdef uint32_t stack
    cdef int64_t pushed
    cdef Instruction *step
    m.stamp += 1
    if m.stamp == 0:  # after four thousand million rounds the old stamps look new
        memset(m.stamps, 0, m.seen_slots * sizeof(uint32_t))
        m.stamp = 1
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
        if step.op == OP_BYTES or step.op >= OP_TOKEN:
            if step.a <= step.b or step.op != OP_BYTES:
                if not _room_for_out(m, found + 1):
                    return TOO_MUCH_MEMORY
                m.out[found] = configuration
                found += 1
        elif step.op == OP_RETURN:
            if stack == 0:
                accepting = 1
            else:
                m.work[waiting] = _at(m.stacks[stack].back, m.stacks[stack].parent)
                waiting += 1
        elif step.op == OP_JUMP:
            m.work[waiting] = _at(step.a, stack)
            waiting += 1
        elif step.op == OP_SPLIT:
            m.work[waiting] = _at(step.a, stack)
            m.work[waiting + 1] = _at(step.b, stack)
            waiting += 2
        else:
            if step.b >= 0:
                pushed = _push(m, step.b, stack)
                if pushed < 0:
                    return TOO_MUCH_MEMORY
                stack = <uint32_t>pushed
            m.work[waiting] = _at(step.a, stack)
            waiting += 1
    return _intern(m, found, accepting)


cdef inline uint64_t _at(int32_t position, uint32_t stack) noexcept nogil:
    return (<uint64_t>position << 32) | stack


cdef inline uint64_t _mixed(uint64_t x) noexcept nogil:
    x ^= x >> 31
    x *= <uint64_t>0x9E3779B97F4A7C15
    x ^= x >> 29
    x *= <uint64_t>0xBF58476D1CE4E5B9
    return x ^ (x >> 32)


cdef bint _new(Machine *m, uint64_t configuration) noexcept nogil:
    """Whether this closure sees it for the first time; it is noted."""
    cdef int64_t mask = m.seen_slots - 1
    cdef int64_t i = <int64_t>(_mixed(configuration) & <uint64_t>mask)
    while m.stamps[i] == m.stamp:
        if m.seen[i] == configuration:
            return False
        i = (i + 1) & mask
    m.stamps[i] = m.stamp
    m.seen[i] = configuration
    return True


cdef int64_t _push(Machine *m, int32_t back, uint32_t parent) noexcept nogil:
    """The number of the stack that has `back` on top of `parent`; -1: no memory."""
    if m.n_stacks * 2 >= m.stack_slots and not _more_stack_slots(m):
        return -1
    cdef uint64_t key = _at(back, parent)
    cdef int64_t mask = m.stack_slots - 1
    cdef int64_t i = <int64_t>(_mixed(key) & <uint64_t>mask)
    cdef uint32_t number
    while m.stack_table[i]:
        number = m.stack_table[i]
        if m.stacks[number].back == back and m.stacks[number].parent == parent:
            return number
        i = (i + 1) & mask
    if not _room_for_stacks(m):
        return -1
    number = <uint32_t>m.n_stacks
    m.n_stacks += 1
    m.stacks[number].back = back
    m.stacks[number].parent = parent
    m.stacks[number].tag = m.tags[back] if m.tags[back] else m.stacks[parent].tag
    m.stack_table[i] = number
    return number


cdef int32_t _intern(Machine *m, int64_t count, int32_t accepting) noexcept nogil:
    """The number of the state of out[:count]."""
    if not count and not accepting:
        return NONE
    if m.n_states * 2 >= m.state_slots and not _more_state_slots(m):
        return TOO_MUCH_MEMORY
    qsort(m.out, <size_t>count, sizeof(uint64_t), _compare)
    cdef int64_t mask = m.state_slots - 1
    cdef int64_t i = <int64_t>(_hashed(m.out, count, accepting) & <uint64_t>mask)
    cdef State *known
    while m.state_table[i]:
        known = m.states + (m.state_table[i] - 1)
        if (
            known.count == count
            and known.accepting == accepting
            and memcmp(
                m.pool + known.first, m.out, <size_t>count * sizeof(uint64_t)
            ) == 0
        ):
            return <int32_t>(m.state_table[i] - 1)
        i = (i + 1) & mask
    if not _room_for_state(m, count):
        return TOO_MUCH_MEMORY
    cdef int32_t number = <int32_t>m.n_states
    known = m.states + number
    known.first = m.n_pool
    known.count = <int32_t>count
    known.accepting = accepting
    known.tags = <uint32_t>accepting
    known.run.groups = 0
    known.run.length = 0
    known.run.known = UNASKED
    known.tokens = False
    cdef int64_t place
    for place in range(count):
        known.tags |= <uint32_t>1 << m.stacks[<uint32_t>m.out[place]].tag
        known.tokens |= m.program[m.out[place] >> 32].op != OP_BYTES
    memcpy(m.pool + m.n_pool, m.out, <size_t>count * sizeof(uint64_t))
    m.n_pool += count
    cdef int32_t kind
    for kind in range(m.n_classes):
        m.rows[<int64_t>number * m.n_classes + kind] = UNKNOWN
    m.n_states += 1
    m.state_table[i] = <uint32_t>number + 1
    return number


cdef uint64_t _hashed(
    const uint64_t *values, int64_t count, int32_t accepting
) noexcept nogil:
    cdef uint64_t value = <uint64_t>(accepting + count * 31)
    cdef int64_t i
    for i in range(count):
        value = _mixed(value ^ values[i])
    return value


cdef int _compare(const void *one, const void *other) noexcept nogil:
    cdef uint64_t a = (<const uint64_t *>one)[0]
    cdef uint64_t b = (<const uint64_t *>other)[0]
    return (a > b) - (a < b)


cdef void *_grown(
    Machine *m, void *old, int64_t before, int64_t after, size_t size
) noexcept nogil:
    """`old` with room for `after` things; NULL (and `old` stays) beyond the limit."""
    cdef int64_t more = (after - before) * <int64_t>size
    if m.used + more > m.limit:
        return NULL
    cdef void *new = realloc(old, <size_t>after * size)
    if new != NULL:
        m.used += more
    return new


cdef void *_zeroed(Machine *m, int64_t count, size_t size) noexcept nogil:
    cdef int64_t more = count * <int64_t>size
    if m.used + more > m.limit:
        return NULL
    cdef void *new = calloc(<size_t>count, size)
    if new != NULL:
        m.used += more
    return new


cdef bint _room_for_work(Machine *m, int64_t needed) noexcept nogil:
    if needed <= m.room_work:
        return True
    cdef int64_t room = max(needed, 2 * m.room_work, 256)
    cdef void *new = _grown(m, m.work, m.room_work, room, sizeof(uint64_t))
    if new == NULL:
        return False
    m.work = <uint64_t *>new
    m.room_work = room
    return True


cdef bint _room_for_out(Machine *m, int64_t needed) noexcept nogil:
    if needed <= m.room_out:
        return True
    cdef int64_t room = max(needed, 2 * m.room_out, 256)
    cdef void *new = _grown(m, m.out, m.room_out, room, sizeof(uint64_t))
    if new == NULL:
        return False
    m.out = <uint64_t *>new
    m.room_out = room
    return True


cdef bint _room_for_stacks(Machine *m) noexcept nogil:
    if m.n_stacks < m.room_stacks:
        return True
    if m.n_stacks >= INT32_MAX:
        return False
    cdef int64_t room = max(2 * m.room_stacks, 64)
    cdef void *new = _grown(m, m.stacks, m.room_stacks, room, sizeof(Stack))
    if new == NULL:
        return False
    m.stacks = <Stack *>new
    m.room_stacks = room
    return True


cdef bint _room_for_state(Machine *m, int64_t count) noexcept nogil:
    """Room for one more state of so many configurations."""
    cdef int64_t room
    cdef void *new
    if m.n_states >= INT32_MAX:
        return False
    if m.n_pool + count >= m.room_pool:  # never NULL, even for no configuration
        room = max(m.n_pool + count + 1, 2 * m.room_pool, 256)
        new = _grown(m, m.pool, m.room_pool, room, sizeof(uint64_t))
        if new == NULL:
            return False
        m.pool = <uint64_t *>new
        m.room_pool = room
    if m.n_states < m.room_states:
        return True
    room = max(2 * m.room_states, 32)
    new = _grown(m, m.states, m.room_states, room, sizeof(State))
    if new == NULL:
        return False
    m.states = <State *>new
    new = _grown(
        m, m.rows, m.room_states, room, <size_t>m.n_classes * sizeof(int32_t)
    )
    if new == NULL:
        # what the states gained is not counted twice when this is tried again
        m.used -= (room - m.room_states) * <int64_t>sizeof(State)
        return False
    m.rows = <int32_t *>new
    m.room_states = room
    return True


cdef bint _more_seen(Machine *m) noexcept nogil:
    """Twice the slots for configurations already looked at."""
    cdef int64_t slots = m.seen_slots, i
    cdef uint64_t *seen = m.seen
    cdef uint32_t *stamps = m.stamps
    cdef uint64_t *new_seen = <uint64_t *>_zeroed(m, 2 * slots, sizeof(uint64_t))
    cdef uint32_t *new_stamps = <uint32_t *>_zeroed(m, 2 * slots, sizeof(uint32_t))
    if new_seen == NULL or new_stamps == NULL:
        if new_seen != NULL:
            m.used -= 2 * slots * <int64_t>sizeof(uint64_t)
        if new_stamps != NULL:
            m.used -= 2 * slots * <int64_t>sizeof(uint32_t)
        free(new_seen)
        free(new_stamps)
        return False
    m.seen = new_seen
    m.stamps = new_stamps
    m.seen_slots = 2 * slots
    for i in range(slots):
        if stamps[i] == m.stamp:
            _new(m, seen[i])
    free(seen)
    free(stamps)
    m.used -= slots * <int64_t>(sizeof(uint64_t) + sizeof(uint32_t))
    return True


cdef bint _more_stack_slots(Machine *m) noexcept nogil:
    cdef int64_t slots = 2 * m.stack_slots, number, i
    cdef uint32_t *table = <uint32_t *>_zeroed(m, slots, sizeof(uint32_t))
    if table == NULL:
        return False
    for number in range(1, m.n_stacks):
        i = <int64_t>(
            _mixed(_at(m.stacks[number].back, m.stacks[number].parent))
            & <uint64_t>(slots - 1)
        )
        while table[i]:
            i = (i + 1) & (slots - 1)
        table[i] = <uint32_t>number
    free(m.stack_table)
    m.used -= m.stack_slots * <int64_t>sizeof(uint32_t)
    m.stack_table = table
    m.stack_slots = slots
    return True


cdef bint _more_state_slots(Machine *m) noexcept nogil:
    cdef int64_t slots = 2 * m.state_slots, number, i
    cdef State *state
    cdef uint32_t *table = <uint32_t *>_zeroed(m, slots, sizeof(uint32_t))
    if table == NULL:
        return False
    for number in range(m.n_states):
        state = m.states + number
        i = <int64_t>(
            _hashed(m.pool + state.first, state.count, state.accepting)
            & <uint64_t>(slots - 1)
        )
        while table[i]:
            i = (i + 1) & (slots - 1)
        table[i] = <uint32_t>(number + 1)
    free(m.state_table)
    m.used -= m.state_slots * <int64_t>sizeof(uint32_t)
    m.state_table = table
    m.state_slots = slots
    return True


include "automaton_images.pxi"
include "token_trie.pxi"
include "token_masks.pxi"
include "mask_images.pxi"
include "stream.pxi"
