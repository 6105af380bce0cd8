# Model output -> events; a part of gbnf.pyx.

from json import JSONDecodeError, JSONDecoder, dumps
import re

from cpython.unicode cimport PyUnicode_DecodeUTF8, PyUnicode_DecodeUTF8Stateful

cdef enum:
    DEEPEST = 64  # brackets in brackets of an object
    LONGEST = 16 << 10  # bytes of one object or line of a block

cdef enum:  # where a free parser is: in speech
    IN_TEXT
    IN_TICKS  # after backticks
    IN_LABEL  # after three of them
    IN_TAG  # after the beginning of <tool_call>
    # in a block
    BETWEEN
    IN_OBJECT
    IN_STRING
    IN_ESCAPE
    IN_LINE  # of something else than objects

cdef enum:  # why a scan of an object ended
    NOT_YET
    COMPLETE
    NEXT_BEGINS  # without an end of this one
    BROKEN

cdef const char *FENCE_END = b"```"
cdef const char *TAG_END = b"</tool_call>"
cdef const char *TAG_BEGIN = b"<tool_call>"
cdef const char *LABELS[2]
LABELS[0] = b"homeassistant"
LABELS[1] = b"json"

NOT_AN_OBJECT = "not a JSON object"

_LEGACY = re.compile(
    r"(\w+\.\w+)\(\s*(\w+\.\w+)\s*"
    r'((?:,\s*\w+\s*=\s*(?:"[^"\\]*"|[^\s",()]+)\s*)*)\)',
    re.ASCII,
)
_ARGUMENT = re.compile(r',\s*(\w+)\s*=\s*("[^"\\]*"|[^\s",()]+)', re.ASCII)


class _RefusedError(ValueError):
    """JSON, but with more than one meaning."""


def _once(list pairs):
    cdef dict found = dict(pairs)
    if len(found) != len(pairs):
        raise _RefusedError("the same key twice")
    return found


def _no_constant(name):
    raise _RefusedError(f"{name} is no number")


_decode = JSONDecoder(object_pairs_hook=_once, parse_constant=_no_constant).raw_decode


cdef object _data_of(str text):
    """The object that a text is; raises ValueError with the reason if it is none."""
    cdef object data, end
    try:
        data, end = _decode(text)
        if end != len(text) or not isinstance(data, dict):
            raise _RefusedError(NOT_AN_OBJECT)
        if "\\u" in text:
            dumps(data, ensure_ascii=False).encode()
    except _RefusedError:
        raise
    except (JSONDecodeError, RecursionError):
        raise _RefusedError(NOT_AN_OBJECT) from None
    except UnicodeEncodeError:
        raise _RefusedError("half a character") from None
    except ValueError:
        raise _RefusedError("a number with too many digits") from None
    return data


cdef str _kind_of(dict data):
    if "reply" in data:
        return "reply"
    if "query" in data:
        return "query"
    if "service" in data:
        return "call"
    if "name" in data and ("arguments" in data or "parameters" in data):
        return "tool"
    return "other"


cdef class _Event:
    """Compares and shows itself by its fields."""

    def __eq__(self, other):
        if type(self) is not type(other):
            return NotImplemented
        return self._fields() == (<_Event>other)._fields()

    def __hash__(self):
        return hash((type(self), self._fields()))

    def __repr__(self):
        names = type(self).__match_args__
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{type(self).__name__}({shown})"

    def __reduce__(self):
        return type(self), self._fields()

    cdef tuple _fields(self):
        return ()


@cython.final
cdef class Speech(_Event):
    """Text that is safe to speak: it cannot turn into a block any more."""

    __match_args__ = ("text",)
    cdef readonly str text

    def __init__(self, str text not None):
        self.text = text

    cdef tuple _fields(self):
        return (self.text,)


@cython.final
cdef class ObjectStarted(_Event):
    """An object has begun at this byte; what it asks for is not known yet."""

    __match_args__ = ("position",)
    cdef readonly int64_t position

    def __init__(self, int64_t position):
        self.position = position

    cdef tuple _fields(self):
        return (self.position,)


@cython.final
cdef class Object(_Event):
    """One complete object, `position` bytes after the start of the output.

    `kind` is "call", "query", "reply", "tool" or "other". `validated` says that a
    grammar guarantees the text; `data` is then parsed when it is first asked for.
    """

    __match_args__ = ("kind", "text", "position", "validated")
    cdef readonly str kind
    cdef readonly str text
    cdef readonly int64_t position
    cdef readonly bint validated
    cdef dict found

    def __init__(
        self,
        str kind not None,
        str text not None,
        int64_t position=0,
        bint validated=False,
        dict found=None,
    ):
        self.kind = kind
        self.text = text
        self.position = position
        self.validated = validated
        self.found = found

    @property
    def data(self) -> dict:
        """The fields of the object.

        Raises ValueError, with the reason, where the text of an object that was not
        parsed yet is not one JSON object with each key once.
        """
        if self.found is None:
            self.found = _data_of(self.text)
        return self.found

    def __reduce__(self):
        return Object, (*self._fields(), self.found)

    cdef tuple _fields(self):
        return (self.kind, self.text, self.position, self.validated)


@cython.final
cdef class Malformed(_Event):
    """Something, `position` bytes after the start, that cannot be understood."""

    __match_args__ = ("text", "reason", "position")
    cdef readonly str text
    cdef readonly str reason
    cdef readonly int64_t position

    def __init__(self, str text not None, str reason not None, int64_t position):
        self.text = text
        self.reason = reason
        self.position = position

    cdef tuple _fields(self):
        return (self.text, self.reason, self.position)


@cython.final
cdef class Done(_Event):
    """The end, after `position` bytes; not `complete` if something was cut off."""

    __match_args__ = ("position", "complete")
    cdef readonly int64_t position
    cdef readonly bint complete

    def __init__(self, int64_t position, bint complete):
        self.position = position
        self.complete = complete

    cdef tuple _fields(self):
        return (self.position, self.complete)


cdef inline Speech _speech(str text):
    cdef Speech event = Speech.__new__(Speech)
    event.text = text
    return event


cdef inline ObjectStarted _started(int64_t position):
    cdef ObjectStarted event = ObjectStarted.__new__(ObjectStarted)
    event.position = position
    return event


cdef inline Object _object(
    str kind, str text, int64_t position, bint validated, dict found
):
    cdef Object event = Object.__new__(Object)
    event.kind = kind
    event.text = text
    event.position = position
    event.validated = validated
    event.found = found
    return event


cdef struct Scan:
    int state
    int found
    int depth
    uint64_t arrays  # a bit for each open bracket, the innermost lowest: [ or {
    uint8_t previous  # byte of the object that is not white space
    bint newline  # after it
    uint8_t closer  # first byte of what ends the block


cdef class _Held:
    """What has been fed of the thing that is not complete yet, and its place."""

    cdef uint8_t *kept
    cdef int64_t size, room
    cdef int64_t base  # bytes before this chunk
    cdef int64_t item  # where the thing begins, from the start of the output
    cdef int64_t limit
    cdef bint busy, finished

    def __init__(self, *, int64_t limit=LONGEST):
        if not 0 < limit <= 1 << 30:
            raise ValueError(f"a limit of {limit} bytes is not between 1 and 2**30")
        self.limit = limit

    def __dealloc__(self):
        free(self.kept)

    def feed(self, bytes data not None) -> list[StreamEvent]:
        """Events that become certain with these bytes."""
        cdef list events = []
        self._enter()
        try:
            self._scan(<const uint8_t *>PyBytes_AS_STRING(data), len(data), events)
            self.base += len(data)
        finally:
            self.busy = False
        return events

    def finish(self) -> list[StreamEvent]:
        """Events that the end of the output makes certain, Done the last of them."""
        cdef list events = []
        self._enter()
        try:
            self.finished = True
            self._end(events)
        finally:
            self.busy = False
        return events

    cdef int _enter(self) except -1:
        if self.finished:
            raise RuntimeError("this output has ended; make a new parser for the next")
        if self.busy or not self.limit:
            raise RuntimeError("a parser is for one output, fed by one thread")
        self.busy = True
        return 0

    cdef int _scan(self, const uint8_t *data, int64_t length, list events) except -1:
        raise NotImplementedError

    cdef int _end(self, list events) except -1:
        raise NotImplementedError

    cdef int _keep(self, const uint8_t *data, int64_t start, int64_t end) except -1:
        """Holds data[start:end] until there is more."""
        cdef int64_t count = end - start
        cdef int64_t room
        cdef void *new
        if count <= 0:
            return 0
        if self.size + count > self.room:
            room = max(self.size + count, 2 * self.room, 64)
            new = realloc(self.kept, <size_t>room)
            if new == NULL:
                raise MemoryError
            self.kept = <uint8_t *>new
            self.room = room
        memcpy(self.kept + self.size, data + start, <size_t>count)
        self.size += count
        return 0

    cdef str _take(
        self,
        const uint8_t *data,
        int64_t start,
        int64_t end,
        int64_t without,
        const char *errors,
    ):
        """What is held and data[start:end] as text, but for the last bytes of it."""
        cdef const uint8_t *first = data + start
        cdef int64_t count = end - start
        if self.size:
            self._keep(data, start, end)
            first = self.kept
            count = self.size
            self.size = 0
        if count <= without:
            return ""
        return PyUnicode_DecodeUTF8(<char *>first, count - without, <char *>errors)

    cdef int _say(
        self,
        const uint8_t *data,
        int64_t start,
        int64_t end,
        bint final,
        list events,
    ) except -1:
        """Speaks what is held and data[start:end]; half a character waits for more."""
        cdef const uint8_t *first = data + start
        cdef int64_t count = max(end - start, 0)
        cdef Py_ssize_t used
        cdef str text
        if self.size:
            self._keep(data, start, end)
            first = self.kept
            count = self.size
        if not count:
            return 0
        used = count
        text = PyUnicode_DecodeUTF8Stateful(
            <char *>first, count, b"replace", NULL if final else &used
        )
        if self.size:
            self.size = count - used
            memmove(self.kept, self.kept + used, <size_t>self.size)
        else:
            self._keep(first, used, count)
        if text:
            events.append(_speech(text))
        return 0


@cython.final
cdef class StreamParser(_Held):
    """Feed it any model's output; it returns the events that the bytes complete.

    Objects count in blocks that ```homeassistant, ```json or <tool_call> opens; all
    else is speech, held back only while it could still become such an opening. One
    object or line of a block takes up to `limit` bytes, and 64 brackets in brackets.
    """

    cdef Scan scan
    cdef int64_t opener  # where speech may end, -1: nowhere
    cdef int run  # of backticks
    cdef int matched  # bytes of a label, a tag or the end of the block
    cdef const char *label
    cdef bint again  # what matches opens the tag another time
    cdef bint dropped  # the line was reported already
    cdef str reason

    def __init__(self, *, int64_t limit=LONGEST):
        super().__init__(limit=limit)
        self.scan.state = IN_TEXT
        self.opener = -1
        self.reason = NOT_AN_OBJECT

    cdef int _scan(self, const uint8_t *data, int64_t length, list events) except -1:
        cdef int64_t i = 0, start = 0, stop
        cdef uint8_t byte
        cdef int state
        while i < length:
            state = self.scan.state
            if state == IN_TEXT:
                i = _plain_text(data, i, length)
                if i == length:
                    break
                self.opener = self.base + i
                self.run = self.matched = 1
                self.scan.state = IN_TICKS if data[i] == c"`" else IN_TAG
                i += 1
            elif state < BETWEEN:
                if self._opens(data[i]):
                    if self.opener >= self.base:
                        self._say(data, start, self.opener - self.base, True, events)
                    self.size = 0
                    self.opener = -1
                    self.scan.closer = c"<" if state == IN_TAG else c"`"
                    self.scan.state = BETWEEN
                    i += state == IN_TAG
                elif self.scan.state != IN_TEXT:
                    i += 1
            elif state == BETWEEN:
                i = _separators(data, i, length)
                if i == length:
                    break
                start = i
                self.item = self.base + i
                if data[i] == c"{":
                    self.scan.state = IN_OBJECT
                    self.scan.depth = 0
                    self.scan.arrays = 0
                    self.scan.previous = c":"
                    self.scan.newline = False
                    events.append(_started(self.item))
                else:
                    self._begin_line()
            elif state < IN_LINE:
                stop = min(length, self.item + self.limit - self.base)
                i = _object_end(&self.scan, data, i, stop)
                if self.scan.found == COMPLETE:
                    self._complete(data, start, i, events)
                    self.scan.state = BETWEEN
                elif self.scan.found == NEXT_BEGINS:
                    self._give_up(data, start, i, "unfinished", events)
                    self.scan.state = BETWEEN
                elif self.scan.found == BROKEN:
                    if self.scan.depth > DEEPEST:
                        self.reason = f"nested deeper than {DEEPEST}"
                    self._begin_line()
                elif i < length:
                    self._begin_line()
                    self._too_long(data, start, i, events)
            else:
                stop = length
                if not self.dropped:
                    stop = min(length, self.item + self.limit - self.base)
                while i < stop:
                    byte = data[i]
                    i += 1
                    if byte == c"\n":
                        self._end_line(data, start, i, 1, events)
                        self.scan.state = BETWEEN
                        break
                    if self._closes(byte):
                        self._end_line(data, start, i, self.matched, events)
                        self.scan.state = BETWEEN if self.again else IN_TEXT
                        self.run = 0
                        start = i
                        break
                else:
                    if i < length:
                        self._too_long(data, start, i, events)
        # What is not complete waits for the next chunk.
        state = self.scan.state
        if state >= BETWEEN:
            if state != BETWEEN and not self.dropped:
                self._keep(data, start, length)
        elif self.opener < 0:
            self._say(data, start, length, False, events)
        elif self.opener < self.base:
            self._keep(data, 0, length)
        else:
            self._say(data, start, self.opener - self.base, True, events)
            self._keep(data, self.opener - self.base, length)
        return 0

    cdef int _end(self, list events) except -1:
        cdef int state = self.scan.state
        cdef bint partly = self.matched and self.size == self.matched
        if state < BETWEEN:
            if state == IN_LABEL and not self.label[self.matched]:
                events.append(Done(self.base, False))
                return 0
            self._say(NULL, 0, 0, True, events)
        elif state == IN_LINE and not partly:
            self._end_line(NULL, 0, 0, 0, events)
        elif IN_OBJECT <= state < IN_LINE:
            self._give_up(NULL, 0, 0, "unfinished", events)
        events.append(Done(self.base, state < BETWEEN))
        return 0

    cdef bint _opens(self, uint8_t byte) noexcept:
        """Whether a block begins with (a tag) or before this byte."""
        cdef int i
        if self.scan.state == IN_TICKS:
            if byte == c"`":
                self.run += 1
                if self.run > 3:  # of a longer run none opens a block
                    self.opener = -1
                return False
            self.label = NULL
            self.matched = 0
            if self.run == 3:
                for i in range(2):
                    if byte == <uint8_t>LABELS[i][0]:
                        self.label = LABELS[i]
            self.scan.state = IN_TEXT if self.label == NULL else IN_LABEL
            self.matched = 1
        elif self.scan.state == IN_LABEL:
            if not self.label[self.matched]:
                if not _is_word(byte):
                    return True
                self.scan.state = IN_TEXT
            elif byte == <uint8_t>self.label[self.matched]:
                self.matched += 1
            else:
                self.scan.state = IN_TEXT
        elif byte == <uint8_t>TAG_BEGIN[self.matched]:
            self.matched += 1
            return not TAG_BEGIN[self.matched]
        else:
            self.scan.state = IN_TEXT
        if self.scan.state == IN_TEXT:
            self.opener = -1
        return False

    cdef bint _closes(self, uint8_t byte) noexcept:
        """Whether the block ends with this byte; `matched` counts bytes of its end."""
        if self.scan.closer == c"`":
            self.matched = self.matched + 1 if byte == c"`" else 0
            return not FENCE_END[self.matched]
        cdef const char *wanted = TAG_BEGIN if self.again else TAG_END
        if self.matched == 1 and byte == c"t":
            self.again = True
            wanted = TAG_BEGIN
        if byte == <uint8_t>wanted[self.matched]:
            self.matched += 1
        else:
            self.again = False
            self.matched = byte == c"<"
        return not wanted[self.matched]

    cdef int _begin_line(self) except -1:
        self.scan.state = IN_LINE
        self.matched = 0
        self.again = False
        self.dropped = False
        return 0

    cdef int _complete(
        self, const uint8_t *data, int64_t start, int64_t end, list events
    ) except -1:
        """Reports an object whose brackets are closed."""
        cdef str text
        cdef dict found
        try:
            text = self._take(data, start, end, 0, b"strict")
            found = _data_of(text)
        except UnicodeDecodeError as err:
            text = err.object.decode(errors="replace")
            events.append(Malformed(text, "not UTF-8", self.item))
        except _RefusedError as err:
            events.append(Malformed(text, str(err), self.item))
        else:
            events.append(_object(_kind_of(found), text, self.item, False, found))
        return 0

    cdef int _give_up(
        self,
        const uint8_t *data,
        int64_t start,
        int64_t end,
        str reason,
        list events,
    ) except -1:
        cdef str text = self._take(data, start, end, 0, b"replace").strip()
        events.append(Malformed(text, reason, self.item))
        return 0

    cdef int _too_long(
        self, const uint8_t *data, int64_t start, int64_t end, list events
    ) except -1:
        self._give_up(data, start, end, f"longer than {self.limit} bytes", events)
        self.reason = NOT_AN_OBJECT
        self.dropped = True
        return 0

    cdef int _end_line(
        self,
        const uint8_t *data,
        int64_t start,
        int64_t end,
        int64_t without,
        list events,
    ) except -1:
        """Reports a line of something else; the old form of a call is understood."""
        cdef str text, reason = self.reason
        cdef dict found
        self.reason = NOT_AN_OBJECT
        if self.dropped:
            self.dropped = False
            return 0
        text = self._take(data, start, end, without, b"replace").strip()
        if not text:
            return 0
        found = _legacy(text)
        if found is None:
            events.append(Malformed(text, reason, self.item))
        else:
            events.append(_started(self.item))
            events.append(_object("call", text, self.item, False, found))
        return 0


cdef dict _legacy(str text):
    """What `light.turn_on(light.office, brightness=50)` asks for, if it is that."""
    found = _LEGACY.fullmatch(text)
    if found is None:
        return None
    cdef dict data = {"service": found[1], "target_device": found[2]}
    for name, value in _ARGUMENT.findall(found[3]):
        if name in data:
            return None
        try:
            data[name], end = _decode(value)
        except ValueError:
            return None
        if end != len(value) or isinstance(data[name], list | dict):
            return None
    return data


cdef inline bint _is_word(uint8_t byte) noexcept nogil:
    return (
        c"a" <= byte <= c"z" or c"A" <= byte <= c"Z" or c"0" <= byte <= c"9"
        or byte == c"_" or byte == c"-" or byte >= 0x80
    )


@cython.boundscheck(False)
cdef int64_t _plain_text(const uint8_t *data, int64_t i, int64_t end) noexcept nogil:
    """Where the next backtick or < is."""
    while i < end and data[i] != c"`" and data[i] != c"<":
        i += 1
    return i


cdef int64_t _separators(const uint8_t *data, int64_t i, int64_t end) noexcept nogil:
    """Where something begins that is not between objects, of an array of them, too."""
    while i < end and (
        data[i] == c" " or data[i] == c"\n" or data[i] == c"\r" or data[i] == c"\t"
        or data[i] == c"," or data[i] == c"[" or data[i] == c"]"
    ):
        i += 1
    return i


cdef int64_t _object_end(
    Scan *s, const uint8_t *data, int64_t i, int64_t end
) noexcept nogil:
    """Reads on in an object; `found` says what happened at the place returned.

    That is behind a complete object, before the byte that breaks one, or the end.
    """
    cdef uint8_t byte
    s.found = NOT_YET
    while i < end:
        byte = data[i]
        if s.state == IN_STRING:
            while byte != c'"' and byte != c"\\" and byte != c"\n":
                i += 1
                if i == end:
                    return i
                byte = data[i]
            if byte == c"\n":
                s.found = BROKEN
                return i
            s.state = IN_OBJECT if byte == c'"' else IN_ESCAPE
        elif s.state == IN_ESCAPE:
            s.state = IN_STRING
            if byte == c"\n":
                s.found = BROKEN
                return i
        elif byte == c'"':
            s.state = IN_STRING
            s.previous = byte
            s.newline = False
        elif byte == c"{" or byte == c"[":
            if byte == c"{" and not (
                s.previous == c":" or s.previous == c"["
                or s.previous == c"," and s.arrays & 1
            ):
                s.found = NEXT_BEGINS if s.newline else BROKEN
                return i
            s.depth += 1
            if s.depth > DEEPEST:
                s.found = BROKEN
                return i
            s.arrays = s.arrays << 1 | (byte == c"[")
            s.previous = byte
            s.newline = False
        elif byte == c"}" or byte == c"]":
            if (s.arrays & 1) != (byte == c"]"):
                s.found = BROKEN
                return i
            s.depth -= 1
            s.arrays >>= 1
            s.previous = byte
            s.newline = False
            if not s.depth:
                s.found = COMPLETE
                return i + 1
        elif byte == c"\n":
            s.newline = True
        elif byte == s.closer:
            s.found = BROKEN
            return i
        elif byte != c" " and byte != c"\r" and byte != c"\t":
            s.previous = byte
            s.newline = False
        i += 1
    return i


include "stream_grammar.pxi"
