"""Reads phrase banks: sections of templates, each section one meaning.

    [action light.turn_on]
    @on
    (light|brighten) up {x}

A line is a template; `(a|b)` means either, `@on` takes in the lines of `[shared on]`.
Words are lower-case without punctuation, as the matcher sees a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from ..errors import HomellmEdgeError

_HEAD = re.compile(r"\[([a-z_]+)(?: ([^\]]+))?\]")
_SLOT = re.compile(r"\{([a-z]+)\}")

_TAKES: Mapping[str, frozenset[str]] = {
    "shared": frozenset("x"),
    "action": frozenset("xncvtdmlp"),
    "place": frozenset("pncvt"),
    "is": frozenset(),
    "yes_no": frozenset("xs"),
    "open_state": frozenset("x"),
    "value": frozenset("x"),
    "place_value": frozenset("p"),
    "scope": frozenset("gsp"),
    "sensed": frozenset("p"),
    "sensor": frozenset(),
    "noticed": frozenset("sp"),
    "query": frozenset("xpmltd"),
    "timer": frozenset("tdp"),
    "later": frozenset("xd"),
    "negation": frozenset("x"),
    "reply": frozenset("xpt"),
}
"""Kind of section -> the slots that its templates may have."""


class PhraseError(HomellmEdgeError, ValueError):
    """A phrase file that cannot be read."""


@dataclass(frozen=True, slots=True)
class Section:
    """The ways to say one thing: `kind` and `key` name the meaning."""

    kind: str
    key: str
    templates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bank:
    """All sections of a language."""

    language: str
    sections: tuple[Section, ...]

    def of_kind(self, kind: str) -> dict[str, tuple[str, ...]]:
        """Key -> templates of one kind of section."""
        return {s.key: s.templates for s in self.sections if s.kind == kind}

    def lines(self, kind: str, key: str = "") -> tuple[str, ...]:
        """The templates of one section; empty if the language has none."""
        return self.of_kind(kind).get(key, ())


@lru_cache(maxsize=8)
def load(language: str = "en") -> Bank:
    """The bank of a language that comes with the library."""
    folder = resources.files(__package__).joinpath(language)
    if not folder.is_dir():
        raise PhraseError(
            f"there are no phrases in {language!r}", f"use one of {_languages()}"
        )
    texts = sorted(
        ((f.name, f.read_text("utf-8")) for f in folder.iterdir()), key=lambda t: t[0]
    )
    return read(language, texts)


def read(language: str, texts: Iterable[tuple[str, str]]) -> Bank:
    """A bank from the texts of its files, each with the name that errors give."""
    found: dict[tuple[str, str], dict[str, str]] = {}  # head -> line -> its place
    for name, text in texts:
        for number, head, line in _lines(name, text):
            into = found.setdefault(head, {})
            if not line.startswith("@"):
                _check(f"{name}:{number}", head[0], line)
            elif head[0] == "shared":
                raise PhraseError(
                    f"{name}:{number}: {line} in a shared section",
                    "take it in where the shared one is taken in",
                )
            into.setdefault(line, f"{name}:{number}")
    sections = []
    for (kind, key), lines in found.items():
        if kind == "shared":
            continue
        whole: dict[str, None] = {}
        for line, place in lines.items():
            if line.startswith("@"):
                shared = found.get(("shared", line[1:]))
                if shared is None:
                    raise PhraseError(
                        f"{place}: [{kind} {key}] takes in {line}, which is not there",
                        f"add a section [shared {line[1:]}]",
                    )
                for taken in shared:
                    _check(place, kind, taken)
                whole |= dict.fromkeys(shared)
            else:
                whole[line] = None
        sections.append(Section(kind, key, tuple(whole)))
    return Bank(language, tuple(sections))


def _lines(name: str, text: str) -> Iterator[tuple[int, tuple[str, str], str]]:
    head: tuple[str, str] | None = None
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("["):
            match = _HEAD.fullmatch(line)
            if match is None or match[1] not in _TAKES:
                raise PhraseError(
                    f"{name}:{number}: {line} is no section",
                    f"write [KIND KEY]; kinds are {', '.join(_TAKES)}",
                )
            head = (match[1], match[2] or "")
            continue
        if head is None:
            raise PhraseError(
                f"{name}:{number}: a phrase before the first section",
                "write [KIND KEY] above it",
            )
        yield number, head, line


def _check(place: str, kind: str, line: str) -> None:
    depth = 0
    for character in line:
        depth += (character == "(") - (character == ")")
        if depth < 0:
            break
    if depth:
        raise PhraseError(f"{place}: unbalanced ( )", "close each ( once")
    wrong = set(_SLOT.findall(line)) - _TAKES[kind]
    if wrong or line.count("{") != len(_SLOT.findall(line)):
        raise PhraseError(
            f"{place}: {', '.join(sorted(wrong)) or 'a brace'} means nothing "
            f"in [{kind}]",
            f"use {', '.join(f'{{{s}}}' for s in sorted(_TAKES[kind])) or 'no slot'}",
        )
    if line != line.lower() or re.search(r"[^\w\s(){}|.']", line):
        raise PhraseError(
            f"{place}: capitals or punctuation in {line!r}",
            "write words in lower case only",
        )


def _languages() -> str:
    folder = resources.files(__package__)
    return ", ".join(sorted(f.name for f in folder.iterdir() if len(f.name) == 2))
