"""The notation of GBNF for lark, and the LALR tables that lark makes of it.

Making the tables takes lark some 30 ms, its import as much again. So the package has
them as data, in `notation.json`, known by the hash of the notation: as long as that is
right, lark is only needed to word an error. `python -m homellm_edge.grammar.notation`
writes the file anew.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .source import FaultError

if TYPE_CHECKING:
    from lark import Lark, Token

MAX_NESTING = 100
"""Parentheses and repeats inside each other; llama.cpp has no limit and crashes."""

TABLES = Path(__file__).with_suffix(".json")

_TEXT = r'"[^"\\]*+(?:\\[\s\S][^"\\]*+)*+"'
_WORDS = rf"{_TEXT}(?:[ \t]*+\|[ \t]*+{_TEXT})++[ \t]*+"
"""Two literals or more to choose from: one word of the notation where they are all
that a rule or a pair of parentheses holds."""

TERMINALS = {
    "NAME": r"[A-Za-z0-9-]+[ \t]*",
    "LITERAL": rf"{_TEXT}[ \t]*",
    "BAR": r"\|[ \t]*",
    "CLASS": r"\[(?:\\[\s\S]|[^\]\\])*+\][ \t]*",
    "WORDS": rf"\([ \t]*+{_WORDS}\)[ \t]*",
    "OPEN": r"\([ \t]*",
    "CLOSE": r"\)[ \t]*",
    "ONLY_WORDS": rf"::=[ \t]*+{_WORDS}(?=[\r\n#]|\Z)",
    "DEFINE": r"::=[ \t]*",
    "NEWLINE": r"[\r\n]+",
    "OPTION": r"\?[ \t]*",
    "STAR": r"\*[ \t]*",
    "PLUS": r"\+[ \t]*",
    "ANY": r"\.[ \t]*",
    "LBRACE": r"\{[ \t]*",
    "COMMA": r",[ \t]*",
    "RBRACE": r"\}[ \t]*",
    "TOKEN": r"!?<(?:\[[0-9]+\]|(?!\[)[^>]*)>[ \t]*",
    "BLANK": r"(?:[ \t]|#[^\r\n]*)+",
}
"""The words of the notation; where several could be read, the first one is."""

NOTATION = r"""
start: rules -> first
    | rules NEWLINE -> first
rules: rule -> one
    | rules NEWLINE rule -> append
rule: NAME DEFINE options
    | NAME ONLY_WORDS -> words_rule
options: sequence -> one
    | options BAR sequence -> append
sequence: -> none
    | sequence item -> append
item: LITERAL -> first
    | CLASS -> first
    | ANY -> first
    | TOKEN -> first
    | WORDS -> first
    | NAME -> reference
    | OPEN options CLOSE -> group
    | item STAR -> star
    | item PLUS -> plus
    | item OPTION -> option
    | item LBRACE INT RBRACE -> exactly
    | item LBRACE INT COMMA RBRACE -> at_least
    | item LBRACE INT COMMA INT RBRACE -> between
%ignore BLANK
INT: /[0-9]+[ \t]*/
""" + "".join(
    f"{name}.{len(TERMINALS) - rank}: /{pattern}/\n"
    for rank, (name, pattern) in enumerate(TERMINALS.items())
)

NEVER_LAST = ("NEWLINE", "DEFINE", "BAR")
"""After these a newline ends no rule."""


@dataclass(frozen=True, slots=True)
class Tables:
    """LALR tables: what to do in each state when a symbol comes.

    Symbols are numbered: the end of the text first, then the terminals as in
    `TERMINALS`, INT, then what rules of the notation make. An action of 0 is an error,
    n > 0 leads to state n - 1, n < 0 reduces by the production -n - 1. A production is
    a symbol, how many symbols make it, and the name of what to do with them. A start is
    the state to begin in and the one in which all is read.
    """

    key: str
    actions: list[list[int]]
    productions: list[tuple[int, int, str]]
    starts: dict[str, tuple[int, int]]


def tables() -> Tables:
    """The tables of the notation: those of the package, or made by lark."""
    key = _key()
    try:
        data = json.loads(TABLES.read_text(encoding="utf-8"))
        found = Tables(**data)
    except (OSError, ValueError, TypeError):
        return make_tables()
    return found if found.key == key else make_tables()


def _key() -> str:
    return hashlib.sha256(NOTATION.encode()).hexdigest()


def make_tables() -> Tables:
    """The tables that lark makes, with states and productions in a fixed order."""
    from lark.grammar import Rule
    from lark.lexer import TerminalDef

    data, memo = lark_parser().memo_serialize([TerminalDef, Rule])
    table = data["parser"]["parser"]
    names: dict[int, str] = table["tokens"]
    rules = {
        number: _production(rule)
        for number, rule in memo.items()
        if rule["__type__"] == "Rule"
    }
    symbols = ["$END", *TERMINALS, "INT", *sorted({rule[0] for rule in rules.values()})]
    order = [table["start_states"][start] for start in _STARTS]
    rows: list[dict[str, Any]] = []
    for state in order:  # which grows
        rows.append({names[n]: what for n, what in table["states"][state].items()})
        for _, (kind, target) in sorted(rows[-1].items(), key=itemgetter(0)):
            if kind == _SHIFT and target not in order:
                order.append(target)
    made = sorted(set(rules.values()))
    actions = [[0] * len(symbols) for _ in rows]
    for row, found in zip(actions, rows, strict=True):
        for name, (kind, target) in found.items():
            row[symbols.index(name)] = (
                order.index(target) + 1
                if kind == _SHIFT
                else -1 - made.index(rules[target["@"]])
            )
    return Tables(
        _key(),
        actions,
        [(symbols.index(name), len(parts), do) for name, parts, do in made],
        {
            start: (
                order.index(table["start_states"][start]),
                order.index(table["end_states"][start]),
            )
            for start in _STARTS
        },
    )


_STARTS = ("start", "rule")
_SHIFT = 0  # in what lark writes


def _production(rule: dict[str, Any]) -> tuple[str, tuple[str, ...], str]:
    """Of a rule that lark wrote: its symbol, the symbols that make it, and its name."""
    name = rule["origin"]["name"]
    parts = tuple(part["name"] for part in rule["expansion"])
    return name, parts, rule["alias"] or name


@lru_cache(maxsize=1)
def lark_parser() -> Lark:
    """The parser that lark makes of the notation; it has no use for what it reads."""
    from lark import Lark

    return Lark(
        NOTATION,
        parser="lalr",
        lexer="contextual",
        postlex=_Newlines(),
        start=list(_STARTS),
        maybe_placeholders=False,
    )


def scanner() -> re.Pattern[str]:
    """Finds one word after the other; the group tells which, a last one that none is.

    The groups are numbered from 1 in the order of `TERMINALS`.
    """
    words = "|".join(f"({pattern})" for pattern in TERMINALS.values())
    return re.compile(rf"{words}|([\s\S])")


class _Newlines:
    """Keeps of the newlines only those that end a rule; bounds the nesting."""

    always_accept = ("NEWLINE",)

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        last, depth = "NEWLINE", 0
        for token in stream:
            kind = token.type
            if kind == "OPEN":
                depth += 1
                if depth > MAX_NESTING:
                    raise too_deep(token.start_pos or 0)
            elif kind == "CLOSE":
                depth -= 1
            elif kind == "NEWLINE" and (depth > 0 or last in NEVER_LAST):
                continue
            last = kind
            yield token


def too_deep(position: int) -> FaultError:
    """What is wrong with a group or repeat that is one too many."""
    return FaultError(
        position,
        f"more than {MAX_NESTING} groups and repeats lie in each other",
        "give the inner ones a rule of their own",
    )


def explain(text: str) -> FaultError:
    """What is wrong with a text that is not of the notation."""
    from lark.exceptions import UnexpectedCharacters, UnexpectedToken

    try:
        lark_parser().parse(text, start="start")
    except UnexpectedCharacters as err:
        return _unreadable(text, err.pos_in_stream or 0)
    except UnexpectedToken as err:
        return _unexpected(text, err.token, err.accepts or err.expected)
    except FaultError as fault:
        return fault
    raise AssertionError("lark takes a text that its own tables refuse")


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
    found = {"$END": "the end", "NEWLINE": "the end of the line"}.get(
        kind, repr(token.rstrip(" \t"))
    )
    if "DEFINE" in expected:
        cause, cure = f"'::=' was expected, not {found}", "write NAME ::= ..."
    elif "INT" in expected or "RBRACE" in expected or "COMMA" in expected:
        cause = f"a number of repeats was expected, not {found}"
        cure = "write {m}, {m,} or {m,n}"
    elif kind in ("STAR", "PLUS", "OPTION", "LBRACE"):
        cause, cure = f"{found} has nothing to repeat", "put an item before it"
    elif kind in ("DEFINE", "ONLY_WORDS"):
        cause, cure = "'::=' was not expected", "begin each rule on its own line"
    elif kind == "CLOSE":
        cause, cure = "this ')' closes nothing", "remove it or open it with '('"
    elif "CLOSE" in expected:
        cause, cure = f"')' was expected, not {found}", "close the group"
    elif kind == "BAR":
        cause = "'|' cannot begin a line"
        cure = "put it at the end of the line before"
    else:
        cause, cure = f"{found} was not expected", "begin each rule with its name"
    return FaultError(position, cause, cure)


def written(found: Tables) -> str:
    """The tables as the text of `notation.json`: a row of numbers on a line."""
    parts = []
    for name, value in asdict(found).items():
        text = json.dumps(value)
        if isinstance(value, Sequence) and not isinstance(value, str):
            rows = ",\n  ".join(json.dumps(row) for row in value)
            text = f"[\n  {rows}\n ]"
        parts.append(f" {json.dumps(name)}: {text}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    TABLES.write_text(written(make_tables()), encoding="utf-8")
