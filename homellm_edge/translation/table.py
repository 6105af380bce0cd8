"""Reads a dictionary: `word, other word = english words`, one meaning a line.

# a comment
mach, mache = make
bitte =                        (dropped)
wie viele = how many
auf $ = up                     (only where a clause ends)
^ an = on                      (only where one starts)
mach .. auf $ = open           (the verb; what stands behind `..` is dropped)

Keys are words as `text.words` makes them, but for the elisions of French (`l`, `d`,
`qu`), which are words of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple
from unicodedata import is_normalized

from ..errors import HomellmEdgeError
from ..text import words

_START, _END, _GAP = "^", "$", ".."


class TableError(HomellmEdgeError, ValueError):
    """A dictionary that cannot be read."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What some words mean: at the start or the end of a clause only, if it says so.

    With a `particle` it holds if that follows in the same clause.
    """

    words: tuple[str, ...]
    meaning: tuple[str, ...]
    start: bool = False
    end: bool = False
    particle: tuple[str, ...] = ()

    @property
    def rank(self) -> tuple[int, int]:
        """What is longer and says more about where it stands comes first."""
        return -len(self.words) - len(self.particle), -self.start - self.end


def parse_table(text: str, name: str) -> tuple[Rule, ...]:
    """The rules of a dictionary; raises TableError with file and line."""
    found: dict[_Key, tuple[int, tuple[str, ...]]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        line = line.partition("#")[0].strip()
        if not line:
            continue
        try:
            keys, meaning = _line(line)
            for key in keys:
                first, known = found.setdefault(_key(key), (number, meaning))
                if known != meaning:
                    raise _LineError(
                        f"{key!r} means {' '.join(known) or 'nothing'!r} in line "
                        f"{first}",
                        "keep one of the two",
                    )
        except _LineError as err:
            raise TableError(f"{name}:{number}: {err.cause}", err.cure) from None
    return tuple(
        Rule(key.words, meaning, key.start, key.end, key.particle)
        for key, (_, meaning) in found.items()
    )


class _Key(NamedTuple):
    """A rule without what it means."""

    words: tuple[str, ...]
    start: bool = False
    end: bool = False
    particle: tuple[str, ...] = ()


class _LineError(HomellmEdgeError):
    """What is wrong with a line."""


def _line(line: str) -> tuple[list[str], tuple[str, ...]]:
    left, equals, right = line.partition("=")
    if not equals:
        raise _LineError("there is no `=` in it", "write `word = meaning`")
    meaning = tuple(right.split())
    plain = all(w.isalpha() and w.islower() and w.isascii() for w in meaning)
    if not plain and (list(meaning) != words(right) or right != right.lower()):
        raise _LineError(
            f"the meaning {right.strip()!r} is not plain lower-case words",
            "write it without capitals and punctuation",
        )
    return [key.strip() for key in left.split(",")], meaning


def _key(key: str) -> _Key:
    if _is_word(key):
        return _Key((key.casefold(),))
    parts = key.split()
    start, end = parts[:1] == [_START], parts[-1:] == [_END]
    parts = parts[start : len(parts) - end]
    gap = parts.index(_GAP) if _GAP in parts else len(parts)
    head, particle = parts[:gap], parts[gap + 1 :]
    if not head or (gap < len(parts) and not particle):
        raise _LineError(
            "there is an empty key in it", "write a word between the commas"
        )
    for word in (*head, *particle):
        if word != word.lower():
            raise _LineError(f"there are capitals in {key!r}", "write lower case")
        if not _is_word(word) and words(word) != [word]:
            raise _LineError(
                f"{word!r} is no word as a sentence has it",
                "write no punctuation; an apostrophe is left out or splits the word",
            )
    return _Key(_folded(head), start, end, _folded(particle))


def _is_word(text: str) -> bool:
    return text.isalpha() and text.islower() and is_normalized("NFKC", text)


def _folded(parts: list[str]) -> tuple[str, ...]:
    return tuple(w.casefold() for w in parts)
