"""A text with named slots and words that agree with what the slots are filled with.

`{name}` is a slot. `(is|are)` has a word for each grammatical form of the subject, in
the order of the language's `forms`; `[event|events]` one for each plural category of a
count.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import HomellmEdgeError

_PART = re.compile(r"\{([a-z_]+)\}|\(([^()]*\|[^()]*)\)|\[([^\[\]]*\|[^\[\]]*)\]")
_NOTATION = frozenset("{}|[]")


@dataclass(frozen=True, slots=True)
class _Slot:
    name: str


@dataclass(frozen=True, slots=True)
class _Choice:
    words: tuple[str, ...]
    counted: bool


@dataclass(frozen=True, slots=True)
class Template:
    """A text that was checked, in parts."""

    parts: tuple[str | _Slot | _Choice, ...]

    @property
    def slots(self) -> frozenset[str]:
        """The names of its slots."""
        return frozenset(p.name for p in self.parts if isinstance(p, _Slot))

    def filled(self, values: Mapping[str, str]) -> Template:
        """The same with some of its slots filled, the others left open."""
        parts: list[str | _Slot | _Choice] = []
        for part in self.parts:
            if isinstance(part, _Slot):
                part = values.get(part.name, part)
            if isinstance(part, str) and parts and isinstance(parts[-1], str):
                parts[-1] += part
            else:
                parts.append(part)
        return Template(tuple(parts))

    def fill(
        self, values: Mapping[str, str], *, form: int = 0, category: int = 0
    ) -> str:
        """The text; what stands in a value is never taken for notation."""
        told = []
        for part in self.parts:
            if isinstance(part, _Slot):
                told.append(values[part.name])
            elif isinstance(part, _Choice):
                number = category if part.counted else form
                told.append(part.words[min(number, len(part.words) - 1)])
            else:
                told.append(part)
        return "".join(told)


def parse(text: str, *, forms: int, categories: int) -> Template:
    """Read a template; raises HomellmEdgeError naming what is wrong in it.

    The last plural category is that of fractions, which things do not come in: a word
    for it may be missing where there are more than two.
    """
    parts: list[str | _Slot | _Choice] = []
    at = 0
    counted = {categories, categories - 1} if categories > 2 else {categories}
    for match in _PART.finditer(text):
        parts.append(_plain(text, text[at : match.start()]))
        at = match.end()
        if match[1]:
            parts.append(_Slot(match[1]))
            continue
        words = tuple((match[2] or match[3] or "").split("|"))
        if len(words) not in (counted if match[3] else {forms}):
            raise HomellmEdgeError(
                f"{match[0]} in {text!r} has {len(words)} words",
                f"give {categories if match[3] else forms}",
            )
        parts.append(_Choice(words, counted=match[3] is not None))
    parts.append(_plain(text, text[at:]))
    return Template(tuple(p for p in parts if p != ""))


def _plain(whole: str, text: str) -> str:
    if _NOTATION & {*text}:
        raise HomellmEdgeError(
            f"{text!r} in {whole!r} is no text", "close what was opened"
        )
    return text
