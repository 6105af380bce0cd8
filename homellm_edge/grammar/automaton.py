"""GBNF text -> byte automaton: which bytes may follow, and where the text may end."""

from __future__ import annotations

import re
from array import array
from collections.abc import Mapping
from dataclasses import dataclass

from .._assembler import Routine, link
from .._gbnf import DEAD, Automaton
from ..errors import GrammarError
from .check import Shape, check, surely_sound
from .code import MAX_PROGRAM, Coder, Tokens, too_long
from .parser import Unexpected, check_characters, reader
from .source import FaultError, Source
from .syntax import Node

MEMORY = 64 << 20
"""Bytes that program and states may take."""

WORK = 1 << 17
"""Ways to go on that are looked at for one new state."""

KEPT = 1 << 24
"""Bytes, roughly, of the rules that a compiler remembers."""


def compile_grammar(
    text: str,
    root: str = "root",
    *,
    tags: Mapping[str, int] | None = None,
    tokens: Tokens | None = None,
    memory: int = MEMORY,
    work: int = WORK,
) -> Automaton:
    """The automaton of a GBNF text; its states are made when they are reached.

    `tags` numbers rules (1 to 31): `Automaton.tags` tells which of them a state is
    inside of. Rules without a tag should not end in themselves by way of tagged ones:
    each round would take memory. `tokens` has the ids of the tokens that terminals as
    `<think>` name; without it token terminals are refused.

    Like llama.cpp's sampler it never lets NUL through, and, unlike it, nothing that
    is not UTF-8.

    Raises:
        GrammarError: for a bad text, and later from the automaton's methods when its
            states need more than `memory` bytes or one byte leads to more than
            `work` ways to go on.
    """
    return Compiler(tokens).compile(text, root, tags=tags, memory=memory, work=work)


@dataclass(slots=True)
class _Rule:
    """A rule as it is remembered."""

    name: str
    body: Node
    shape: Shape
    routine: Routine | None = None


class Compiler:
    """Compiles grammars that have most of their rules in common.

    It remembers rules by their text, about `kept` bytes of them; what is compiled is
    the same as by `compile_grammar`, and so are the errors. One thread at a time.
    """

    def __init__(self, tokens: Tokens | None = None, *, kept: int = KEPT) -> None:
        self._tokens = tokens
        self._kept = kept
        self._reader = reader()
        self._forget()

    def compile(
        self,
        text: str,
        root: str = "root",
        *,
        tags: Mapping[str, int] | None = None,
        memory: int = MEMORY,
        work: int = WORK,
    ) -> Automaton:
        """The automaton of a GBNF text, as `compile_grammar` makes it."""
        program, places = self.program(text, root, tags=tags)
        return Automaton(program, too_costly, limit=memory, work=work, tags=places)

    def program(
        self, text: str, root: str = "root", *, tags: Mapping[str, int] | None = None
    ) -> tuple[array[int], dict[int, int]]:
        """The automaton's program, and its tags by where their calls come back to.

        Raises:
            GrammarError: for a bad text.
        """
        if self.remembered > self._kept:
            self._forget()
        try:
            return self._program(text, root, dict(tags or {}))
        except FaultError as fault:
            raise Source(text).error(fault) from None

    @property
    def remembered(self) -> int:
        """Bytes, roughly, that the remembered rules take."""
        return 64 * self._read + 12 * self._coder.instructions

    def _forget(self) -> None:
        self._coder = Coder(self._tokens)
        self._lines: dict[str, _Rule] = {}
        self._long: dict[str, tuple[str, _Rule]] = {}
        self._read = 0  # characters

    def _program(
        self, text: str, root: str, tags: dict[str, int]
    ) -> tuple[array[int], dict[int, int]]:
        check_characters(text)
        try:
            rules = self._rules(text)
            table = {rule.name: rule for rule in rules}
            if len(table) == len(rules) and surely_sound(
                {name: rule.shape for name, rule in table.items()}, root
            ):
                return self._link(table, root, tags, self._coder)
        except (FaultError, Unexpected):
            pass
        # Something is wrong or could be: that is said of the text as a whole.
        read = self._reader.rules(text)
        check(read, root)
        coder = Coder(self._tokens)
        for parsed in read:
            coder.check(parsed.body)
        table = {rule.name: _Rule(rule.name, rule.body, Shape()) for rule in read}
        return self._link(table, root, tags, coder)

    def _link(
        self, table: dict[str, _Rule], root: str, tags: dict[str, int], coder: Coder
    ) -> tuple[array[int], dict[int, int]]:
        def find(name: str) -> Routine:
            rule = table[name]
            if rule.routine is None:
                rule.routine = coder.routine(rule.body)
            return rule.routine

        try:
            return link(root, find, limit=MAX_PROGRAM, tags=tags)
        except OverflowError:
            raise too_long() from None

    def _rules(self, text: str) -> list[_Rule]:
        rules: list[_Rule] = []
        position, length = 0, len(text)
        while position < length:
            end = _LINE.match(text, position).end()  # type: ignore[union-attr]
            line = text[position:end]
            rule = self._lines.get(line)
            if rule is not None:
                rules.append(rule)
            elif (long := self._long.get(line)) and _stands(long[0], text, position):
                rules.append(long[1])
                end = position + len(long[0])
            elif not _NOTHING.fullmatch(line):
                rule, end = self._new(text, position, line)
                rules.append(rule)
            position = end + 1
        return rules

    def _new(self, text: str, position: int, line: str) -> tuple[_Rule, int]:
        """The rule that begins with this line, and where its last line ends."""
        parsed, end = self._reader.rule(text, position)
        self._coder.check(parsed.body)
        rule = _Rule(parsed.name, parsed.body, Shape.of(parsed))
        self._read += end - position
        if end == len(text):
            return rule, end  # in another text it might go on
        if end == position + len(line):
            self._lines[line] = rule
        else:
            self._long[line] = (text[position:end], rule)
        return rule, end


_LINE = re.compile(r"[^\r\n]*+")

_NOTHING = re.compile(r"[ \t]*+(?:#.*+)?")
"""A line without a rule."""


def _stands(lines: str, text: str, position: int) -> bool:
    """Whether these lines are at this position of the text."""
    end = position + len(lines)
    return text.startswith(lines, position) and text[end : end + 1] in ("", "\r", "\n")


def too_costly(reason: str) -> GrammarError:
    """The error of an automaton that goes beyond its limits."""
    return GrammarError(
        f"the grammar is too ambiguous or too deep: {reason}",
        "repeat fewer things inside repeats, or shorten the text",
    )


__all__ = [
    "DEAD",
    "MAX_PROGRAM",
    "MEMORY",
    "WORK",
    "Automaton",
    "Compiler",
    "Tokens",
    "compile_grammar",
    "too_costly",
]
