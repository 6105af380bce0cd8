"""GBNF text -> checked syntax tree, exactly the language that llama.cpp reads.

lark (LALR) makes the tables of the notation; compiled code drives them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, TypeAlias

from .._lalr import Parser, Unexpected
from ..errors import GrammarError
from .check import check
from .notation import (
    MAX_NESTING,
    NEVER_LAST,
    TERMINALS,
    explain,
    scanner,
    tables,
    too_deep,
)
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
    Rule,
    RuleRef,
    Sequence,
    TokenTerminal,
    Words,
)
from .utf8 import is_text

MAX_TEXT = 1 << 20
"""Characters of a GBNF text."""

MAX_REPEAT = 2000
"""llama.cpp's limit; a larger maximum means without end."""


def parse(text: str, root: str = "root") -> Grammar:
    """Read a GBNF text whose start rule is `root`.

    Raises:
        GrammarError: with line, column, the line and a cure.
    """
    try:
        return check(reader().rules(text), root)
    except FaultError as fault:
        raise Source(text).error(fault) from None


class Reader:
    """Reads GBNF texts; has the tables of the notation."""

    def __init__(self) -> None:
        found = tables()
        self._parser = Parser(
            _SCANNER.finditer,
            terminals=list(TERMINALS),
            actions=found.actions,
            productions=found.productions,
            starts=found.starts,
            shifts=_SHIFTS,
            reductions=_REDUCTIONS,
            never_last=NEVER_LAST,
            nesting=MAX_NESTING,
        )

    def rules(self, text: str) -> tuple[Rule, ...]:
        """All rules of a text.

        Raises:
            FaultError: for the first thing that is wrong.
        """
        check_characters(text)
        try:
            rules, _ = self._parser.parse(text, "start")
        except Unexpected:
            raise explain(text) from None
        return tuple(rules)

    def rule(self, text: str, position: int) -> tuple[Rule, int]:
        """The rule that begins with a line, and where its last line ends.

        Raises:
            FaultError, Unexpected: if anything is wrong with it; a line without a rule
                is not expected, either.
        """
        rule, end = self._parser.parse(text, "rule", position, line=True)
        return rule, end


@lru_cache(maxsize=1)
def reader() -> Reader:
    """The reader, of which one is enough: it does not change."""
    return Reader()


def check_characters(text: str) -> None:
    """Raises FaultError for a text that is too long or has what no grammar may have."""
    if len(text) > MAX_TEXT:
        raise FaultError(
            MAX_TEXT,
            f"the grammar has {len(text)} characters",
            f"use at most {MAX_TEXT}",
        )
    if text.isascii() and "\0" not in text:
        return
    if found := re.search("[\0\ud800-\udfff]", text):
        raise FaultError(
            found.start(),
            f"character U+{ord(found[0]):04X} cannot stand in a grammar",
            "remove it",
        )


_Match: TypeAlias = re.Match[str]

_SCANNER = scanner()
_BLANKS = " \t"
_TEXTS = re.compile(r'"((?:[^"\\]|\\[\s\S])*+)"')


def _literal(match: _Match) -> Literal:
    text = match.group().rstrip(_BLANKS)[1:-1]
    return Literal(_text(text, match.start() + 1) if "\\" in text else text)


def _text(text: str, start: int) -> str | None:
    """The characters of a literal with escapes; None if not all can be in a text."""
    if text.count("\\") == text.count('\\"'):
        return text.replace('\\"', '"')
    points = [point for point, _ in _points(text, start)]
    return "".join(map(chr, points)) if is_text(points) else None


def _words(match: _Match) -> Node:
    text = match.group()
    if "\\" not in text:
        return Words(tuple(text.split('"')[1::2]))
    start = match.start()
    found = tuple(
        _text(m[1], start + m.start(1)) if "\\" in m[1] else m[1]
        for m in _TEXTS.finditer(text)
    )
    if None in found:
        return Alternatives(tuple(map(Literal, found)))
    return Words(found)  # type: ignore[arg-type] # of which none is None


def _class(match: _Match) -> CharClass:
    text, start = match.group().rstrip(_BLANKS)[1:-1], match.start() + 1
    negated = text.startswith("^")
    if negated:
        text, start = text[1:], start + 1
    if len(text) == 3 and text[1] == "-" and "\\" not in text:
        return CharClass(((ord(text[0]), ord(text[2])),), negated)
    ranges: list[tuple[int, int]] = []
    points = list(_points(text, start))
    index = 0
    while index < len(points):
        low = high = points[index][0]
        # a minus at the end is itself, and so is one that is escaped
        if index + 2 < len(points) and points[index + 1] == (ord("-"), False):
            high = points[index + 2][0]
            index += 2
        ranges.append((low, high))
        index += 1
    return CharClass(tuple(ranges), negated)


def _token(match: _Match) -> TokenTerminal:
    text = match.group().rstrip(_BLANKS)
    negated = text.startswith("!")
    text = text.removeprefix("!")
    position = match.start()
    if not text.startswith("<["):
        return TokenTerminal(text, negated, position)
    digits = text[2:-2].lstrip("0") or "0"
    if len(digits) > 10 or int(digits) > 0xFFFFFFFF:
        raise FaultError(
            position,
            "there is no token with so large an id",
            "use an id of the model's vocabulary",
        )
    return TokenTerminal(int(digits), negated, position)


_SHIFTS: dict[str, Callable[[_Match], Any]] = {
    "LITERAL": _literal,
    "WORDS": lambda match: Group(_words(match)),
    "ONLY_WORDS": _words,
    "CLASS": _class,
    "ANY": lambda _: AnyChar(),
    "TOKEN": _token,
}
"""What a word of the notation is made into when it is read."""


def _rule(children: list[Any]) -> Rule:
    name: _Match = children[0]
    return Rule(name.group().rstrip(_BLANKS), _body(children[2]), name.start())


def _words_rule(children: list[Any]) -> Rule:
    name: _Match = children[0]
    return Rule(name.group().rstrip(_BLANKS), children[1], name.start())


def _body(options: list[list[Node]]) -> Node:
    found = tuple(
        [parts[0] if len(parts) == 1 else Sequence(tuple(parts)) for parts in options]
    )
    return found[0] if len(found) == 1 else Alternatives(found)


def _reference(children: list[_Match]) -> RuleRef:
    name = children[0]
    return RuleRef(name.group().rstrip(_BLANKS), name.start())


def _group(children: list[Any]) -> Group:
    sign, options, _ = children
    depth = max([_depth(part) for parts in options for part in parts], default=0)
    return Group(_body(options), _deeper(depth, sign.start()))


def _repeat(item: Node, low: int, high: int | None, position: int) -> Repeat:
    return Repeat(item, low, high, position, _deeper(_depth(item), position))


def _depth(node: Node) -> int:
    return node.depth if isinstance(node, Group | Repeat) else 0


def _deeper(depth: int, position: int) -> int:
    if depth >= MAX_NESTING:
        raise too_deep(position)
    return depth + 1


def _counted(children: list[Any]) -> Repeat:
    item, brace, low, *rest = children
    position: int = brace.start()
    minimum = _number(low, position)
    if minimum > MAX_REPEAT:
        raise FaultError(
            position, f"{minimum} repeats are more than {MAX_REPEAT}", _FEWER_REPEATS
        )
    if len(rest) == 1:
        return _repeat(item, minimum, minimum, position)
    maximum = _number(rest[1], position) if len(rest) == 3 else None
    if maximum is None or maximum > MAX_REPEAT:
        return _repeat(item, minimum, None, position)
    if maximum < minimum:
        raise FaultError(
            position,
            f"the maximum of {maximum} repeats is below the minimum of {minimum}",
            "write the smaller number first",
        )
    return _repeat(item, minimum, maximum, position)


def _number(match: _Match, position: int) -> int:
    digits = match.group().rstrip(_BLANKS).lstrip("0") or "0"
    if len(digits) > 20 or int(digits) >= 1 << 64:
        raise FaultError(
            position, "a number of repeats is far too large", _FEWER_REPEATS
        )
    return int(digits)


_FEWER_REPEATS = f"use at most {MAX_REPEAT}, or {{m,}} for without end"

_REDUCTIONS: dict[str, Callable[[list[Any]], Any]] = {
    "rule": _rule,
    "words_rule": _words_rule,
    "reference": _reference,
    "group": _group,
    "star": lambda found: _repeat(found[0], 0, None, found[1].start()),
    "plus": lambda found: _repeat(found[0], 1, None, found[1].start()),
    "option": lambda found: _repeat(found[0], 0, 1, found[1].start()),
    "exactly": _counted,
    "at_least": _counted,
    "between": _counted,
}
"""What several words of the notation are made into, by the name of the production."""

_HEX = {"x": 2, "u": 4, "U": 8}
_PLAIN = {"t": 9, "r": 13, "n": 10} | {c: ord(c) for c in '\\"[]-'}


def _points(text: str, start: int) -> Iterator[tuple[int, bool]]:
    """Code points of text with escapes, and whether each was escaped."""
    index = 0
    while index < len(text):
        character = text[index]
        if character != "\\":
            yield ord(character), False
            index += 1
            continue
        kind = text[index + 1]
        if kind in _PLAIN:
            yield _PLAIN[kind], True
            index += 2
            continue
        if kind not in _HEX:
            raise FaultError(
                start + index,
                f"there is no escape \\{kind}",
                'use one of \\n \\t \\r \\\\ \\" \\[ \\] \\- \\xHH \\uHHHH \\UHHHHHHHH',
            )
        digits = text[index + 2 : index + 2 + _HEX[kind]]
        if not re.fullmatch(f"[0-9a-fA-F]{{{_HEX[kind]}}}", digits):
            raise FaultError(
                start + index,
                f"the escape \\{kind} lacks hexadecimal digits",
                f"give it {_HEX[kind]}",
            )
        yield int(digits, 16), True
        index += 2 + _HEX[kind]


__all__ = [
    "MAX_NESTING",
    "MAX_REPEAT",
    "MAX_TEXT",
    "GrammarError",
    "Reader",
    "Unexpected",
    "check_characters",
    "parse",
    "reader",
]
