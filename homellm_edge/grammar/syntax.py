"""The syntax tree of a GBNF text: what the parser makes and the compiler reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Literal:
    """Characters in a row; None has one that cannot occur, and so matches nothing."""

    text: str | None


@dataclass(frozen=True, slots=True)
class Words:
    """Two or more texts to choose from."""

    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CharClass:
    """One character inside (or, negated, outside) ranges of code points.

    Without any range it matches the empty text, negated or not, as in llama.cpp.
    """

    ranges: tuple[tuple[int, int], ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class AnyChar:
    """One character, whichever."""


@dataclass(frozen=True, slots=True)
class TokenTerminal:
    """One token of the model's vocabulary: by id, or by its text with the brackets."""

    token: int | str
    negated: bool
    position: int


@dataclass(frozen=True, slots=True)
class RuleRef:
    """The name of a rule; `position` is where in the text it stands."""

    name: str
    position: int


@dataclass(frozen=True, slots=True)
class Group:
    """A parenthesised expression; `depth` counts groups and repeats in each other."""

    body: Node
    depth: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Sequence:
    """Parts one after the other; none is the empty text."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Alternatives:
    """Two or more options."""

    options: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """`item` from `low` to `high` times (None: without end); `depth` as of a group."""

    item: Node
    low: int
    high: int | None
    position: int
    depth: int = field(default=1, compare=False)


Node: TypeAlias = (
    Literal
    | Words
    | CharClass
    | AnyChar
    | TokenTerminal
    | RuleRef
    | Group
    | Sequence
    | Alternatives
    | Repeat
)


@dataclass(frozen=True, slots=True)
class Rule:
    """`name ::= body`; `position` is where in the text the name stands."""

    name: str
    body: Node
    position: int


@dataclass(frozen=True, slots=True)
class Grammar:
    """A checked grammar: every rule that `root` needs is there, and no left recursion.

    Of several rules with one name the last counts.
    """

    root: str
    rules: dict[str, Rule]
