# cython: language_level=3, boundscheck=True, wraparound=False
"""Drives an LALR table over the words that a regular expression finds.

A table has a row for each state: 0 is an error, n > 0 leads to state n - 1, n < 0
reduces by production -n - 1. Symbol 0 is the end of the text, a word has the number of
its group in the expression; the last group is for what no word begins with.
"""

from cpython.array cimport array
from libc.stdint cimport int32_t


class Unexpected(Exception):  # noqa: N818
    """A word stands where it cannot."""


cdef enum:
    END = 0
    STACK = 2048

cdef enum:
    DO_CALL = 0
    DO_FIRST = 1
    DO_ONE = 2
    DO_NONE = 3
    DO_APPEND = 4

_BUILT_IN = {"first": DO_FIRST, "one": DO_ONE, "none": DO_NONE, "append": DO_APPEND}


cdef class Parser:
    """A parser of a notation whose rules end where a line ends.

    `words(text, position)` makes an iterator of matches; `terminals` has the names of
    its groups, without the last. `actions` is the table. A production is a symbol, how
    many symbols make it and the name of what to do: "first" keeps the first value,
    "none" begins a list, "one" begins it with the first value, "append" appends the
    last value to the first; any other is called in `reductions` with the list of
    values. The value of a terminal is what `shifts` makes of the match, by name, or
    the match. `starts` has the first and the last state by what is to be read.

    A newline does not count inside of parentheses, of which `nesting` may lie in each
    other, nor after `never_last`. Between braces a NAME of digits is an INT, numbered
    behind the terminals. A BLANK is nothing.
    """

    cdef object words
    cdef list shifts, reductions
    cdef array table, productions
    cdef dict starts
    cdef int width
    cdef int unknown, blank, name, newline, opening, closing, brace, unbrace
    cdef int nesting
    cdef char never_last[64]

    def __init__(
        self,
        words,
        *,
        terminals,
        actions,
        productions,
        starts,
        dict shifts not None,
        dict reductions not None,
        never_last,
        int nesting,
    ):
        cdef int i
        self.words = words
        self.width = len(actions[0])
        self.unknown = len(terminals) + 1
        if self.unknown >= 64 or self.width <= self.unknown:
            raise ValueError("the table does not fit the terminals")
        if any(len(row) != self.width for row in actions):
            raise ValueError("the rows of the table differ in length")
        self.table = array("i", [number for row in actions for number in row])
        states, rules = len(actions), len(productions)
        if any(not -rules <= number <= states for number in self.table):
            raise ValueError("the table leads outside itself")
        self.starts = {name: tuple(start) for name, start in starts.items()}
        if any(not 0 <= n < states for start in self.starts.values() for n in start):
            raise ValueError("the table begins or ends outside itself")
        numbers = {name: number for number, name in enumerate(terminals, 1)}
        self.blank = numbers["BLANK"]
        self.name = numbers["NAME"]
        self.newline = numbers["NEWLINE"]
        self.opening = numbers["OPEN"]
        self.closing = numbers["CLOSE"]
        self.brace = numbers["LBRACE"]
        self.unbrace = numbers["RBRACE"]
        self.nesting = nesting
        for i in range(64):
            self.never_last[i] = False
        for name in never_last:
            self.never_last[<int>numbers[name]] = True
        self.shifts = [None, *(shifts.get(name) for name in terminals), None]
        self.productions = array("i")
        self.reductions = []
        for symbol, size, name in productions:
            if not self.unknown < symbol < self.width or size < 0:
                raise ValueError(f"the production {name!r} is not valid")
            do = _BUILT_IN.get(name, DO_CALL)
            self.productions.extend(array("i", [symbol, size, do]))
            self.reductions.append(None if do else reductions[name])

    def parse(
        self, str text not None, str start not None, Py_ssize_t position=0, *,
        bint line=False,
    ):
        """The value of `start`, and where the text or (`line`) its first rule ends.

        Raises:
            Unexpected: if the text is not of the notation.
        """
        cdef int32_t[STACK] states
        cdef int depth = 0, top = 0, kind = END, last = self.newline
        cdef bint braces = False
        cdef int32_t final
        cdef list values = []
        cdef Py_ssize_t end = len(text)
        states[0], final = self.starts[start]
        for match in self.words(text, position):
            kind = match.lastindex
            if kind == self.blank:
                continue
            if kind == self.newline:
                if depth > 0 or self.never_last[last]:
                    continue
                if line:
                    end = match.start()
                    break
            elif kind == self.opening:
                depth += 1
                if depth > self.nesting:
                    raise Unexpected
            elif kind == self.closing:
                depth -= 1
            elif kind == self.brace:
                braces = True
            elif kind == self.unbrace:
                braces = False
            elif kind == self.unknown:
                raise Unexpected
            elif kind == self.name and braces:
                if match.group().rstrip(" \t").isdigit():
                    kind = self.unknown  # which is INT in the table
            last = kind
            top = self._feed(states, top, kind, values, final)
            shift = self.shifts[kind]
            values.append(match if shift is None else shift(match))
        self._feed(states, top, END, values, final)
        return values[0], end

    cdef int _feed(
        self, int32_t *states, int top, int kind, list values, int32_t final
    ) except -1:
        """Reduces, then shifts a word; the new top of the states."""
        cdef const int *table = self.table.data.as_ints  # checked when it was taken
        cdef const int *productions = self.productions.data.as_ints
        cdef int action, size, do, target
        while True:
            action = table[states[top] * self.width + kind]
            if action == 0 or top + 2 >= STACK:
                raise Unexpected
            if action > 0:
                top += 1
                states[top] = action - 1
                return top
            action = -action - 1
            size = productions[3 * action + 1]
            do = productions[3 * action + 2]
            if size > top:
                raise Unexpected
            top -= size
            if do == DO_FIRST:
                if size > 1:
                    del values[len(values) - size + 1:]
            elif do == DO_APPEND:
                value = values[len(values) - 1]
                del values[len(values) - size + 1:]
                (<list>values[len(values) - 1]).append(value)
            elif do == DO_NONE:
                values.append([])
            elif do == DO_ONE:
                values[len(values) - 1] = [values[len(values) - 1]]
            else:
                taken = values[len(values) - size:]
                del values[len(values) - size:]
                values.append(self.reductions[action](taken))
            target = table[states[top] * self.width + productions[3 * action]]
            if target <= 0:
                raise Unexpected
            top += 1
            states[top] = target - 1
            if kind == END and states[top] == final:
                return top
