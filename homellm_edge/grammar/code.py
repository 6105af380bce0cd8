"""Syntax tree -> routines of the byte automaton's program."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from .._assembler import Routine
from .._gbnf import BYTES, JUMP, NOT_TOKEN, SPLIT, TOKEN
from .source import FaultError
from .syntax import (
    Alternatives,
    AnyChar,
    CharClass,
    Group,
    Literal,
    Node,
    Repeat,
    RuleRef,
    TokenTerminal,
    Words,
)
from .syntax import Sequence as SequenceNode
from .utf8 import Range, byte_ranges, characters

MAX_PROGRAM = 1 << 20
"""Instructions of a compiled grammar."""

_NO_TOKEN = (1 << 31) - 1
"""No vocabulary has so large an id: whatever is larger is as good as this."""

Tokens: TypeAlias = Callable[[str], int | None]
"""The id of the token whose text, with its brackets, is this; None if there is none."""


class Coder:
    """Writes the routine of a rule; routines for sets of characters are shared.

    With `tokens`, token terminals are instructions; without, they are refused.
    `instructions` counts what was written for rules.
    """

    def __init__(self, tokens: Tokens | None = None) -> None:
        self._tokens = tokens
        self.instructions = 0
        self._sets: dict[tuple[Range, ...], _Set] = {}
        self._classes: dict[CharClass | AnyChar, _Set] = {}

    def routine(self, body: Node) -> Routine:
        """The routine that reads this.

        Raises:
            FaultError: if it would be too long or needs a vocabulary.
        """
        routine = Routine(MAX_PROGRAM)
        try:
            self._node(routine, body)
            routine.end()
        except OverflowError:
            raise too_long() from None
        self.instructions += len(routine)
        return routine

    def check(self, node: Node) -> None:
        """Looks up the token terminals in it, if there is a vocabulary.

        Raises:
            FaultError: for a token that does not exist.
        """
        if self._tokens is None:
            return
        if isinstance(node, TokenTerminal):
            self._token(node)
        elif isinstance(node, Group):
            self.check(node.body)
        elif isinstance(node, Repeat):
            self.check(node.item)
        elif isinstance(node, SequenceNode | Alternatives):
            for part in node.parts if isinstance(node, SequenceNode) else node.options:
                self.check(part)

    def _token(self, node: TokenTerminal) -> int:
        """The id of the token.

        Raises:
            FaultError: if there is no vocabulary, or no such token in it.
        """
        if self._tokens is None:
            raise FaultError(
                node.position,
                "a token terminal means nothing without a model's vocabulary",
                "write its text as a literal",
            )
        if isinstance(node.token, int):
            return min(node.token, _NO_TOKEN)
        found = self._tokens(node.token)
        if found is None:
            raise FaultError(
                node.position,
                f"{node.token} is not one token of the model's vocabulary",
                "name a special token of the model, or write the text as a literal",
            )
        return found

    def _node(self, out: Routine, node: Node) -> None:
        if isinstance(node, Literal):
            if node.text is None:
                out.add(BYTES, 1, 0)  # nothing matches
            else:
                out.text(node.text.encode())
        elif isinstance(node, SequenceNode):
            for part in node.parts:
                self._node(out, part)
        elif isinstance(node, RuleRef):
            out.call(node.name)
        elif isinstance(node, Group):
            self._node(out, node.body)
        elif isinstance(node, Words):
            out.words(node.texts)
        elif isinstance(node, Alternatives):
            self._options(out, node.options)
        elif isinstance(node, Repeat):
            self._repeat(out, node)
        elif isinstance(node, CharClass):
            if node.ranges:
                self._class(out, node)
        elif isinstance(node, AnyChar):
            self._class(out, node)
        else:
            out.add(NOT_TOKEN if node.negated else TOKEN, self._token(node))

    def _class(self, out: Routine, node: CharClass | AnyChar) -> None:
        found = self._classes.get(node)
        if found is None:
            ranges = (
                characters(node.ranges, node.negated)
                if isinstance(node, CharClass)
                else characters((), negated=True)
            )
            found = self._classes[node] = self._sets.setdefault(ranges, _set(ranges))
        if isinstance(found, Routine):
            out.call(found)
        else:
            _bytes(out, found)

    def _options(self, out: Routine, options: Sequence[Node]) -> None:
        ends: list[int] = []
        for option in options[:-1]:
            split = out.add(SPLIT, len(out) + 1)
            self._node(out, option)
            ends.append(out.add(JUMP))
            out.aim(split, b=len(out))
        self._node(out, options[-1])
        for end in ends:
            out.aim(end, a=len(out))

    def _repeat(self, out: Routine, node: Repeat) -> None:
        copies = max(node.low, 1) if node.high is None else node.high
        if copies > 1 and not _is_short(node.item):
            shared = self.routine(node.item)

            def write() -> None:
                out.call(shared)

        else:

            def write() -> None:
                self._node(out, node.item)

        for _ in range(node.low if node.high is not None else node.low - 1):
            write()
        if node.high is None and node.low:
            again = len(out)
            write()
            split = out.add(SPLIT, again)
            out.aim(split, b=len(out))
        elif node.high is None:
            split = out.add(SPLIT, len(out) + 1)
            write()
            out.add(JUMP, split)
            out.aim(split, b=len(out))
        else:
            splits: list[int] = []
            for _ in range(node.high - node.low):
                splits.append(out.add(SPLIT, len(out) + 1))
                write()
            for split in splits:
                out.aim(split, b=len(out))


_Set: TypeAlias = tuple[tuple[Range, ...], ...] | Routine
"""A set of characters: their UTF-8, or the routine that reads it."""


def _set(ranges: tuple[Range, ...]) -> _Set:
    sequences = tuple(byte_ranges(ranges))
    if len(sequences) <= 1:
        return sequences
    out = Routine(MAX_PROGRAM)
    ends: list[int] = []
    for sequence in sequences[:-1]:
        split = out.add(SPLIT, len(out) + 1)
        _bytes(out, (sequence,))
        ends.append(out.add(JUMP))
        out.aim(split, b=len(out))
    _bytes(out, sequences[-1:])
    for end in ends:
        out.aim(end, a=len(out))
    out.end()
    return out


def _bytes(out: Routine, sequences: Sequence[Sequence[Range]]) -> None:
    """Appends the one sequence of bytes; nothing matches if there is none."""
    for low, high in sequences[0] if sequences else ((1, 0),):
        out.add(BYTES, low, high)


def _is_short(node: Node) -> bool:
    """Whether a copy of it is a few instructions at most."""
    if isinstance(node, Literal):
        return node.text is None or len(node.text) <= 2
    return isinstance(node, RuleRef | CharClass | AnyChar | TokenTerminal)


def too_long() -> FaultError:
    """What is wrong with a grammar that needs too many instructions."""
    return FaultError(
        0,
        f"the grammar needs more than {MAX_PROGRAM} instructions",
        "repeat fewer times",
    )
