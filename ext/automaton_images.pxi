# An automaton with the states made so far as flat bytes; a part of gbnf.pyx.
#
# Counts (instructions, tags, stacks, states, configurations, classes of bytes), the
# configurations, the program, tags, stacks, states and the table. What can be derived
# is not in it: it is made again, and so are the numbers of stacks and states, which
# must come out the same.

cdef enum:
    IMAGE_COUNTS = 6


cdef bytes _automaton_image(Automaton automaton):
    """The image; nothing of Python's is made while the lock is held.

    Else a collection of garbage could hand the GIL to a thread that waits for the lock.
    """
    cdef Machine *m = &automaton.machine
    cdef int64_t[IMAGE_COUNTS] counts
    cdef int64_t[IMAGE_COUNTS] now
    cdef bytes image
    while True:
        PyThread_acquire_lock(automaton.lock, WAIT_LOCK)
        _image_counts(m, counts)
        PyThread_release_lock(automaton.lock)
        image = PyBytes_FromStringAndSize(NULL, _image_size(counts))
        PyThread_acquire_lock(automaton.lock, WAIT_LOCK)
        _image_counts(m, now)
        if not memcmp(counts, now, sizeof(counts)):
            _fill_image(m, counts, PyBytes_AS_STRING(image))
            PyThread_release_lock(automaton.lock)
            return image
        PyThread_release_lock(automaton.lock)  # another thread has made states


cdef void _image_counts(Machine *m, int64_t *counts) noexcept nogil:
    cdef int64_t i
    counts[0] = m.length
    counts[1] = 0
    for i in range(m.length):
        counts[1] += m.tags[i] != 0
    counts[2] = m.n_stacks - 1
    counts[3] = m.n_states
    counts[4] = m.n_pool
    counts[5] = m.n_classes


cdef int64_t _image_size(const int64_t *counts) noexcept nogil:
    return 8 * (IMAGE_COUNTS + counts[4]) + 4 * (
        3 * counts[0]
        + 2 * (counts[1] + counts[2] + counts[3])
        + counts[3] * counts[5]
    )


cdef void _fill_image(Machine *m, const int64_t *counts, char *at) noexcept nogil:
    cdef int64_t i
    memcpy(at, counts, 8 * IMAGE_COUNTS)
    at += 8 * IMAGE_COUNTS
    if m.n_pool:
        memcpy(at, m.pool, <size_t>(8 * m.n_pool))
    at += 8 * m.n_pool
    memcpy(at, m.program, <size_t>(12 * <int64_t>m.length))
    cdef int32_t *numbers = <int32_t *>(at + 12 * <int64_t>m.length)
    for i in range(m.length):
        if m.tags[i]:
            numbers[0] = <int32_t>i
            numbers[1] = m.tags[i]
            numbers += 2
    for i in range(1, m.n_stacks):
        numbers[0] = m.stacks[i].back
        numbers[1] = <int32_t>m.stacks[i].parent
        numbers += 2
    for i in range(m.n_states):
        numbers[0] = m.states[i].count
        numbers[1] = m.states[i].accepting
        numbers += 2
    if m.n_states:
        memcpy(numbers, m.rows, <size_t>(4 * m.n_states * m.n_classes))


cdef Automaton _automaton_from(
    bytes image, object failure, int64_t limit, int64_t work
):
    cdef int64_t[IMAGE_COUNTS] counts
    cdef const char *at = PyBytes_AS_STRING(image)
    if len(image) < <int64_t>sizeof(counts):
        raise ValueError("the image is too short")
    memcpy(counts, at, sizeof(counts))
    for count in counts:
        if not 0 <= count <= INT32_MAX:
            raise ValueError("the image has impossible counts")
    cdef int64_t n_program = counts[0], n_tags = counts[1], n_stacks = counts[2]
    cdef int64_t n_states = counts[3], n_pool = counts[4], n_classes = counts[5]
    if n_classes > 256 or len(image) != _image_size(counts):
        raise ValueError("the image's size does not fit its counts")
    cdef const uint64_t *pool = <const uint64_t *>(at + sizeof(counts))
    cdef const int32_t *program = <const int32_t *>(pool + n_pool)
    cdef const int32_t *tags = program + 3 * n_program
    cdef const int32_t *stacks = tags + 2 * n_tags
    cdef const int32_t *states = stacks + 2 * n_stacks
    cdef const int32_t *rows = states + 2 * n_states
    numbers = array("i", _flat(program, 12 * n_program))
    cdef Automaton made = Automaton(
        numbers,
        failure,
        limit=limit,
        work=work,
        tags={tags[2 * i]: tags[2 * i + 1] for i in range(n_tags)},
    )
    cdef Machine *m = &made.machine
    if n_classes != m.n_classes:
        raise ValueError("the image has other classes of bytes than its program")
    cdef int64_t failed
    with nogil:
        failed = _take_states(m, stacks, n_stacks, states, n_states, pool, n_pool, rows)
    if failed == TOO_MUCH_MEMORY:
        raise made._failed(TOO_MUCH_MEMORY)
    if failed:
        raise ValueError("the image's states are not those of its program")
    return made


cdef int64_t _take_states(
    Machine *m,
    const int32_t *stacks,
    int64_t n_stacks,
    const int32_t *states,
    int64_t n_states,
    const uint64_t *pool,
    int64_t n_pool,
    const int32_t *rows,
) noexcept nogil:
    """Makes stacks and states anew, after a check; 0, or what went wrong.

    All that the start needs has been made: it must be where the image has it.
    """
    cdef int64_t i, k, number, first = 0, cells = n_states * m.n_classes
    cdef int32_t count
    cdef uint64_t configuration
    for i in range(n_stacks):
        # a stack lies on an older one: there are no rings
        if not 0 <= stacks[2 * i] < m.length or not 0 <= stacks[2 * i + 1] <= i:
            return NONE
        number = _push(m, stacks[2 * i], <uint32_t>stacks[2 * i + 1])
        if number != i + 1:
            return TOO_MUCH_MEMORY if number < 0 else NONE
    for i in range(n_states):
        count = states[2 * i]
        if not 0 <= count <= n_pool - first or states[2 * i + 1] & ~1:
            return NONE
        if not _room_for_out(m, count):
            return TOO_MUCH_MEMORY
        for k in range(count):
            configuration = pool[first + k]
            if (
                configuration >> 32 >= <uint64_t>m.length
                or <uint32_t>configuration > n_stacks
                or not _waits(m, configuration)
            ):
                return NONE
            m.out[k] = configuration
        number = _intern(m, count, states[2 * i + 1])
        if number != i:
            return TOO_MUCH_MEMORY if number < NONE else NONE
        first += count
    if first != n_pool or m.n_states != n_states or m.n_stacks != n_stacks + 1:
        return NONE
    for i in range(cells):
        if not UNKNOWN <= rows[i] < n_states:
            return NONE
    if cells:  # without states there is no table yet
        memcpy(m.rows, rows, <size_t>cells * sizeof(int32_t))
    return 0


cdef bint _waits(Machine *m, uint64_t configuration) noexcept nogil:
    """Whether it is one of a state: at a byte or a token that something follows."""
    cdef int32_t op = m.program[configuration >> 32].op
    return op == OP_BYTES or op == OP_TOKEN or op == OP_NOT_TOKEN


cdef bytes _flat(const void *start, int64_t size):
    return PyBytes_FromStringAndSize(<const char *>start, size)
