"""Reads the word file of a language: nouns with their gender, lists, templates.

    [light]
    stehlampe f = floor lamp

Sections of nouns hold `WORD GENDER [PREPOSITION|-] [FORM]... [= ENGLISH]`, `_` for a
space; the other sections hold a text a line, `[words]` `KEY = TEMPLATE`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ... import TrainingError
from .marks import GENDERS

_FOLDER = Path(__file__).with_name("words")


@dataclass(frozen=True, slots=True)
class Noun:
    """A noun as the file has it; `forms` are the language's own."""

    text: str
    gender: str
    preposition: str = ""
    forms: tuple[str, ...] = ()
    english: str = ""


@dataclass(frozen=True, slots=True)
class Lexicon:
    """All sections of a file."""

    sections: Mapping[str, tuple[str, ...]]

    def lines(self, section: str) -> tuple[str, ...]:
        """The lines of a section that has to be there."""
        try:
            return self.sections[section]
        except KeyError:
            raise TrainingError(
                f"the words have no section [{section}]", "add it"
            ) from None

    def nouns(self, section: str) -> tuple[Noun, ...]:
        """The nouns of a section."""
        return _nouns(self.lines(section))

    def pairs(self, section: str) -> Mapping[str, str]:
        """The lines of a section as KEY = VALUE."""
        return _pairs(self.lines(section))


@lru_cache(maxsize=8)
def lexicon(language: str) -> Lexicon:
    """The words of a language."""
    sections: dict[str, list[str]] = {}
    into: list[str] = []
    text = (_FOLDER / f"{language}.txt").read_text("utf-8")
    for raw in text.splitlines():
        line = raw.strip()
        if line.startswith("["):
            into = sections.setdefault(line.strip("[]"), [])
        elif line and not line.startswith("#"):
            # Lists of single words stand in rows.
            into += [part.strip() for part in line.split(";")]
    return Lexicon({name: tuple(lines) for name, lines in sections.items()})


@lru_cache(maxsize=512)
def _nouns(lines: tuple[str, ...]) -> tuple[Noun, ...]:
    return tuple(_noun(line) for line in lines)


@lru_cache(maxsize=64)
def _pairs(lines: tuple[str, ...]) -> Mapping[str, str]:
    found = {}
    for line in lines:
        key, _, value = line.partition("=")
        found[key.strip()] = value.strip()
    return found


def _noun(line: str) -> Noun:
    left, _, english = line.partition("=")
    parts = [part.replace("_", " ") for part in left.split()]
    if len(parts) < 2 or parts[1] not in GENDERS:
        raise TrainingError(f"{line!r} is no noun", "write WORD GENDER")
    word, gender, *more = parts
    preposition = more[0] if more and more[0] != "-" else ""
    return Noun(word, gender, preposition, tuple(more[1:]), english.strip())
