"""GBNF text -> checked syntax tree, exactly the language that llama.cpp reads.

lark (LALR) parses the notation. Where a newline ends a rule depends on what stands
around it, so a filter between lexer and parser drops the newlines that do not count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from ..errors import GrammarError
from .check import check
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
)

if TYPE_CHECKING:
    from lark import Lark, Token

MAX_TEXT = 1 << 20
"""Characters of a GBNF text."""

MAX_NESTING = 100
"""Parentheses and repeats inside each other; llama.cpp has no limit and crashes."""

MAX_REPEAT = 2000
"""llama.cpp's limit; a larger maximum means without end."""


def parse(text: str, root: str = "root") -> Grammar:
    """Read a GBNF text whose start rule is `root`.

    Raises:
        GrammarError: with line, column, the line and a cure.
    """
    source = Source(text)
    try:
        _check_characters(text)
        return check(_rules(text), root)
    except FaultError as fault:
        raise source.error(fault) from None


def _rules(text: str) -> tuple[Rule, ...]:
    from lark.exceptions import UnexpectedCharacters, UnexpectedToken

    try:
        rules: Any = _lark().parse(text)
    except UnexpectedCharacters as err:
        raise _unreadable(text, err.pos_in_stream or 0) from None
    except UnexpectedToken as err:
        raise _unexpected(text, err.token, err.accepts or err.expected) from None
    return tuple(rules)


def _check_characters(text: str) -> None:
    if len(text) > MAX_TEXT:
        raise FaultError(
            MAX_TEXT,
            f"the grammar has {len(text)} characters",
            f"use at most {MAX_TEXT}",
        )
    if found := re.search("[\0\ud800-\udfff]", text):
        raise FaultError(
            found.start(),
            f"character U+{ord(found[0]):04X} cannot stand in a grammar",
            "remove it",
        )


@lru_cache(maxsize=1)
def _lark() -> Lark:
    from lark import Lark

    return Lark(
        _NOTATION,
        parser="lalr",
        lexer="contextual",
        postlex=_Newlines(),
        transformer=_Builder(),
        propagate_positions=False,
        maybe_placeholders=False,
    )


_BLANKS = " \t"
"""May end the words below: a word less for the lexer to find after each."""

_NOTATION = r"""
start: rules _NEWLINE?
rules: rule
    | rules _NEWLINE rule
rule: NAME _DEFINE alternatives
alternatives: sequence (_BAR sequence)*
sequence: (LITERAL | CLASS | ANY | TOKEN | reference | group | repeat)*
_item: LITERAL | CLASS | ANY | TOKEN | reference | group | repeat
reference: NAME
group: OPEN alternatives _CLOSE
repeat: _item (STAR | PLUS | OPTION)
    | _item LBRACE INT RBRACE
    | _item LBRACE INT COMMA INT? RBRACE

NAME: /[A-Za-z0-9-]+[ \t]*/
INT: /[0-9]+/
LITERAL: /"(?:\\[\s\S]|[^"\\])*"[ \t]*/
CLASS: /\[(?:\\[\s\S]|[^\]\\])*\][ \t]*/
TOKEN: /!?<(?:\[[0-9]+\]|(?!\[)[^>]*)>[ \t]*/
ANY: "."
STAR: "*"
PLUS: "+"
OPTION: "?"
LBRACE: "{"
RBRACE: "}"
COMMA: ","
_DEFINE: /::=[ \t]*/
_BAR: /\|[ \t]*/
OPEN: "("
_CLOSE: ")"
_NEWLINE: /[\r\n]+/
BLANK: /(?:[ \t]|#[^\r\n]*)+/
%ignore BLANK
"""


class _Newlines:
    """Keeps of the newlines only those that end a rule; bounds the nesting."""

    always_accept = ("_NEWLINE",)

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        last, depth = "_NEWLINE", 0
        for token in stream:
            kind = token.type
            if kind == "OPEN":
                depth += 1
                if depth > MAX_NESTING:
                    raise _too_deep(token.start_pos or 0)
            elif kind == "_CLOSE":
                depth -= 1
            elif kind == "_NEWLINE" and (
                depth > 0 or last in ("_NEWLINE", "_DEFINE", "_BAR")
            ):
                continue
            last = kind
            yield token


_Part: TypeAlias = tuple[Node, int]
"""A node and how many groups and repeats lie in each other in it."""


class _Builder:
    """Called by lark at every reduction: children in, node out."""

    _counts: ClassVar[dict[str, tuple[int, int | None]]] = {
        "STAR": (0, None),
        "PLUS": (1, None),
        "OPTION": (0, 1),
    }

    def start(self, children: list[list[Rule]]) -> list[Rule]:
        return children[0]

    def rules(self, children: list[Any]) -> list[Rule]:
        if len(children) == 1:
            return children
        rules: list[Rule] = children[0]
        rules.append(children[1])
        return rules

    def rule(self, children: list[Any]) -> Rule:
        name: Token = children[0]
        return Rule(name.rstrip(_BLANKS), children[1][0], name.start_pos or 0)

    def alternatives(self, children: list[_Part]) -> _Part:
        if len(children) == 1:
            return children[0]
        return (
            Alternatives(tuple(node for node, _ in children)),
            max(depth for _, depth in children),
        )

    def sequence(self, children: list[_Part]) -> _Part:
        if len(children) == 1:
            return children[0]
        return (
            Sequence(tuple(node for node, _ in children)),
            max((depth for _, depth in children), default=0),
        )

    def LITERAL(self, token: Token) -> _Part:  # noqa: N802 - lark's name
        text = token.rstrip(_BLANKS)[1:-1]
        if "\\" not in text:
            return Literal(tuple(map(ord, text))), 0
        start = (token.start_pos or 0) + 1
        return Literal(tuple(point for point, _ in _points(text, start))), 0

    def CLASS(self, token: Token) -> _Part:  # noqa: N802 - lark's name
        text, start = token.rstrip(_BLANKS)[1:-1], (token.start_pos or 0) + 1
        negated = text.startswith("^")
        if negated:
            text, start = text[1:], start + 1
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
        return CharClass(tuple(ranges), negated), 0

    def ANY(self, _token: Token) -> _Part:  # noqa: N802 - lark's name
        return AnyChar(), 0

    def TOKEN(self, token: Token) -> _Part:  # noqa: N802 - lark's name
        text = token.rstrip(_BLANKS).removeprefix("!")
        negated = token.startswith("!")
        position = token.start_pos or 0
        if not text.startswith("<["):
            return TokenTerminal(text, negated, position), 0
        digits = text[2:-2].lstrip("0") or "0"
        if len(digits) > 10 or int(digits) > 0xFFFFFFFF:
            raise FaultError(
                position,
                "there is no token with so large an id",
                "use an id of the model's vocabulary",
            )
        return TokenTerminal(int(digits), negated, position), 0

    def reference(self, children: list[Token]) -> _Part:
        return RuleRef(children[0].rstrip(_BLANKS), children[0].start_pos or 0), 0

    def group(self, children: list[Any]) -> _Part:
        sign, (node, depth) = children
        if depth >= MAX_NESTING:
            raise _too_deep(sign.start_pos or 0)
        return Group(node), depth + 1

    def repeat(self, children: list[Any]) -> _Part:
        (node, depth), sign, *rest = children
        position = sign.start_pos or 0
        if depth >= MAX_NESTING:
            raise _too_deep(position)
        if sign.type != "LBRACE":
            low, high = self._counts[sign.type]
        else:
            low, high = _bounds(position, [t.rstrip(_BLANKS) for t in rest[:-1]])
        return Repeat(node, low, high, position), depth + 1


def _bounds(position: int, parts: list[str]) -> tuple[int, int | None]:
    """Minimum and maximum of `{...}`, from its numbers and comma."""
    numbers = [part.lstrip("0") or "0" for part in parts if part != ","]
    if any(len(number) > 20 or int(number) >= 1 << 64 for number in numbers):
        raise FaultError(
            position, "a number of repeats is far too large", _FEWER_REPEATS
        )
    low = int(numbers[0])
    if low > MAX_REPEAT:
        raise FaultError(
            position, f"{low} repeats are more than {MAX_REPEAT}", _FEWER_REPEATS
        )
    if len(parts) == 1:
        return low, low
    high = int(numbers[1]) if len(numbers) > 1 else None
    if high is None or high > MAX_REPEAT:
        return low, None
    if high < low:
        raise FaultError(
            position,
            f"the maximum of {high} repeats is below the minimum of {low}",
            "write the smaller number first",
        )
    return low, high


_FEWER_REPEATS = f"use at most {MAX_REPEAT}, or {{m,}} for without end"
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


def _too_deep(position: int) -> FaultError:
    return FaultError(
        position,
        f"more than {MAX_NESTING} groups and repeats lie in each other",
        "give the inner ones a rule of their own",
    )


def _unreadable(text: str, position: int) -> FaultError:
    """What is wrong where no word of the notation begins."""
    rest = text[position : position + 2]
    if rest[:1] == '"':
        cause, cure = "this literal has no end", 'close it with "'
    elif rest[:1] == "[":
        cause, cure = "this character class has no end", "close it with ]"
    elif rest[:1] in ("<", "!"):
        cause, cure = "this is no token terminal", "write <[ID]>, <TEXT> or !<[ID]>"
    elif rest[:1] == "_":
        cause, cure = (
            "a rule's name has no underscore",
            "use letters, digits and minus signs",
        )
    elif rest[:1] == ":":
        cause, cure = "'::=' is incomplete", "write NAME ::= ..."
    else:
        cause = f"{rest[:1]!r} means nothing here"
        cure = 'put text into quotation marks ("...") and notes behind #'
    return FaultError(position, cause, cure)


def _unexpected(text: str, token: Token, expected: set[str]) -> FaultError:
    """What is wrong with a word of the notation at a place where it cannot stand."""
    kind = token.type
    position = len(text) if kind == "$END" else token.start_pos or 0
    if kind == "$END" and not re.sub(r"#[^\r\n]*|\s", "", text):
        return FaultError(position, "the grammar has no rules", "write root ::= ...")
    found = {"$END": "the end", "_NEWLINE": "the end of the line"}.get(
        kind, repr(token.rstrip(_BLANKS))
    )
    if "_DEFINE" in expected:
        cause, cure = f"'::=' was expected, not {found}", "write NAME ::= ..."
    elif "INT" in expected or "RBRACE" in expected or "COMMA" in expected:
        cause = f"a number of repeats was expected, not {found}"
        cure = "write {m}, {m,} or {m,n}"
    elif kind in ("STAR", "PLUS", "OPTION", "LBRACE"):
        cause, cure = f"{found} has nothing to repeat", "put an item before it"
    elif kind == "_DEFINE":
        cause, cure = f"{found} was not expected", "begin each rule on its own line"
    elif kind == "_CLOSE":
        cause, cure = "this ')' closes nothing", "remove it or open it with '('"
    elif "_CLOSE" in expected:
        cause, cure = f"')' was expected, not {found}", "close the group"
    elif kind == "_BAR":
        cause = "'|' cannot begin a line"
        cure = "put it at the end of the line before"
    else:
        cause, cure = f"{found} was not expected", "begin each rule with its name"
    return FaultError(position, cause, cure)


__all__ = ["MAX_NESTING", "MAX_REPEAT", "MAX_TEXT", "GrammarError", "parse"]
