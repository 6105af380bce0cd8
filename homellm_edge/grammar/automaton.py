"""GBNF text -> byte automaton: which bytes may follow, and where the text may end."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TypeAlias

from .._gbnf import BYTES, CALL, DEAD, JUMP, RETURN, SPLIT, Automaton
from ..errors import GrammarError
from .parser import parse
from .source import FaultError, Source
from .syntax import (
    Alternatives,
    AnyChar,
    CharClass,
    Grammar,
    Group,
    Literal,
    Node,
    Repeat,
    RuleRef,
    TokenTerminal,
)
from .syntax import Sequence as SequenceNode
from .utf8 import Range, byte_ranges, characters, is_character

MAX_PROGRAM = 1 << 20
"""Instructions of a compiled grammar."""

MEMORY = 64 << 20
"""Bytes that program and states may take."""


WORK = 1 << 17
"""Ways to go on that are looked at for one new state."""


def compile_grammar(
    text: str,
    root: str = "root",
    *,
    tags: Mapping[str, int] | None = None,
    memory: int = MEMORY,
    work: int = WORK,
) -> Automaton:
    """The automaton of a GBNF text; its states are made when they are reached.

    `tags` numbers rules (1 to 31): `Automaton.tags` tells which of them a state is
    inside of. Rules without a tag should not end in themselves by way of tagged ones:
    each round would take memory.

    Like llama.cpp's sampler it never lets NUL through, and, unlike it, nothing that
    is not UTF-8.

    Raises:
        GrammarError: for a bad text, and later from the automaton's methods when its
            states need more than `memory` bytes or one byte leads to more than
            `work` ways to go on.
    """
    grammar = parse(text, root)
    try:
        compiler = _Compiler(grammar, tags or {})
        program = compiler.program()
    except FaultError as fault:
        raise Source(text).error(fault) from None
    return Automaton(program, _too_costly, limit=memory, work=work, tags=compiler.tags)


def _too_costly(reason: str) -> GrammarError:
    return GrammarError(
        f"the grammar is too ambiguous or too deep: {reason}",
        "repeat fewer things inside repeats, or shorten the text",
    )


_Set: TypeAlias = tuple[int, list[tuple[Range, ...]]]
"""The number of a set of characters, and its UTF-8."""


class _Compiler:
    """Writes routines, one for each rule and for each part that is used repeatedly."""

    def __init__(self, grammar: Grammar, tagged: Mapping[str, int]) -> None:
        self.tags: dict[int, int] = {}
        self._grammar = grammar
        self._tagged = tagged
        self._ops: list[int] = []
        self._a: list[int] = []
        self._b: list[int] = []
        self._places: dict[Hashable, int] = {}
        self._asked: dict[Hashable, Callable[[], None]] = {}
        self._calls: list[tuple[int, Hashable]] = []
        self._sets: dict[tuple[Range, ...], _Set] = {}
        self._classes: dict[int, _Set] = {}

    def program(self) -> array[int]:
        self._routine(self._grammar.root)
        while self._asked:
            key, write = self._asked.popitem()
            self._places[key] = self._here()
            write()
            self._add(RETURN)
        ops = self._ops
        for at, key in self._calls:
            self._a[at] = self._places[key]
            back = at + 1
            if isinstance(key, str) and key in self._tagged:
                # a place of its own to come back to tells the tag
                self._b[at] = back
                self.tags[back] = self._tagged[key]
                continue
            while ops[back] == JUMP:
                back = self._a[back]
            self._b[at] = -1 if ops[back] == RETURN else back
        program = array("i", [0]) * (3 * len(ops))
        for column, numbers in enumerate((ops, self._a, self._b)):
            program[column::3] = array("i", numbers)
        return program

    def _here(self) -> int:
        return len(self._ops)

    def _add(self, op: int, a: int = 0, b: int = 0) -> int:
        self._check_room(1)
        self._ops.append(op)
        self._a.append(a)
        self._b.append(b)
        return len(self._ops) - 1

    def _check_room(self, count: int) -> None:
        if len(self._ops) + count > MAX_PROGRAM:
            raise FaultError(
                0,
                f"the grammar needs more than {MAX_PROGRAM} instructions",
                "repeat fewer times",
            )

    def _routine(self, name: str) -> None:
        body = self._grammar.rules[name].body
        self._asked[name] = lambda: self._node(body)

    def _call(self, key: Hashable, write: Callable[[], None]) -> None:
        if key not in self._places:
            self._asked.setdefault(key, write)
        self._calls.append((self._add(CALL), key))

    def _node(self, node: Node) -> None:
        if isinstance(node, Literal):
            self._literal(node.points)
        elif isinstance(node, SequenceNode):
            for part in node.parts:
                self._node(part)
        elif isinstance(node, RuleRef):
            body = self._grammar.rules[node.name].body
            self._call(node.name, lambda: self._node(body))
        elif isinstance(node, Group):
            self._node(node.body)
        elif isinstance(node, Alternatives):
            self._options([_bind(self._node, option) for option in node.options])
        elif isinstance(node, Repeat):
            self._repeat(node)
        elif isinstance(node, AnyChar | CharClass):
            self._class(node)
        else:
            raise _no_vocabulary(node)

    def _literal(self, points: Sequence[int]) -> None:
        if any(not is_character(point) for point in points):
            self._add(BYTES, 1, 0)  # nothing matches
            return
        data = "".join(map(chr, points)).encode()
        self._check_room(len(data))
        self._ops += [BYTES] * len(data)
        self._a += data
        self._b += data

    def _class(self, node: AnyChar | CharClass) -> None:
        if isinstance(node, CharClass) and not node.ranges:
            return
        if id(node) not in self._classes:  # copies of one are written many times
            ranges = (
                characters(node.ranges, node.negated)
                if isinstance(node, CharClass)
                else characters((), negated=True)
            )
            self._classes[id(node)] = self._sets.setdefault(
                ranges, (len(self._sets), list(byte_ranges(ranges)))
            )
        number, sequences = self._classes[id(node)]
        if not sequences:
            self._add(BYTES, 1, 0)
        elif len(sequences) == 1:
            self._bytes(sequences[0])
        else:
            self._call(
                ("class", number),
                lambda: self._options([_bind(self._bytes, s) for s in sequences]),
            )

    def _bytes(self, sequence: Sequence[Range]) -> None:
        for low, high in sequence:
            self._add(BYTES, low, high)

    def _options(self, writers: Sequence[Callable[[], None]]) -> None:
        ends: list[int] = []
        for write in writers[:-1]:
            split = self._add(SPLIT)
            self._a[split] = self._here()
            write()
            ends.append(self._add(JUMP))
            self._b[split] = self._here()
        writers[-1]()
        for end in ends:
            self._a[end] = self._here()

    def _repeat(self, node: Repeat) -> None:
        copies = max(node.low, 1) if node.high is None else node.high
        write = _bind(self._node, node.item)
        if copies > 1 and not _is_short(node.item):
            # The copies share one routine, known by its place in the tree.
            write = _bind(self._call, ("copy", id(node.item)), write)
        for _ in range(node.low if node.high is not None else node.low - 1):
            write()
        if node.high is None and node.low:
            again = self._here()
            write()
            split = self._add(SPLIT, again)
            self._b[split] = self._here()
        elif node.high is None:
            split = self._add(SPLIT)
            self._a[split] = self._here()
            write()
            self._add(JUMP, split)
            self._b[split] = self._here()
        else:
            splits: list[int] = []
            for _ in range(node.high - node.low):
                split = self._add(SPLIT)
                self._a[split] = self._here()
                splits.append(split)
                write()
            for split in splits:
                self._b[split] = self._here()


def _bind(write: Callable[..., None], *arguments: object) -> Callable[[], None]:
    return lambda: write(*arguments)


def _is_short(node: Node) -> bool:
    """Whether a copy of it is a few instructions at most."""
    if isinstance(node, Literal):
        return len(node.points) <= 2
    return isinstance(node, RuleRef | CharClass | AnyChar | TokenTerminal)


def _no_vocabulary(node: TokenTerminal) -> FaultError:
    return FaultError(
        node.position,
        "a token terminal means nothing without a model's vocabulary",
        "write its text as a literal",
    )


__all__ = ["DEAD", "MAX_PROGRAM", "MEMORY", "WORK", "Automaton", "compile_grammar"]
