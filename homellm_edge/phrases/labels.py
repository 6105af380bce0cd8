"""Labels of meanings: what a nearest phrase tells the model, one token each."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from .bank import Section, load

SURE, LIKELY, PERHAPS = "=", "~", "?"
"""How near a phrase is, as the qualities of a device's match."""

MOST_HINTS = 2

Hint = tuple[str, str]
"""(label, quality)."""

_UNLABELLED = frozenset(["is", "timer", "shared", "sensor"])


def label_of(section: Section) -> str | None:
    """The label of a section's meaning, None if it has none of its own."""
    if section.kind in _UNLABELLED:
        return None
    if section.kind in ("action", "place"):
        return section.key.partition(" ")[0]
    if section.kind == "noticed":
        return f"scope {section.key}"
    if section.kind == "place_value":
        return f"value {section.key}"
    key = section.key.replace("_of ", " ")
    return f"{section.kind} {key}".strip()


@lru_cache(maxsize=1)
def labels() -> tuple[str, ...]:
    """All labels of the English bank, in a fixed order."""
    found = {label_of(s) for s in load("en").sections} - {None}
    return tuple(sorted(str(label) for label in found))


def token(label: str) -> str:
    """The text of a label's token."""
    return f"<~{label}>"


def hint_text(hints: Sequence[Hint]) -> str:
    """What stands in front of the sentence; empty without hints."""
    return "".join(f"{token(label)}{quality} " for label, quality in hints[:MOST_HINTS])
