"""Durations, and runs of words that may be somebody's own: items, names, titles."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from ..text import own_words
from .lexicon import ARTICLES, FRAME_WORDS, TEXT_TRIGGERS
from .text import Token

MAX_SECONDS = 100 * 86400

_UNITS = {
    **dict.fromkeys(("second", "seconds", "sec", "secs", "s"), 1),
    **dict.fromkeys(("minute", "minutes", "min", "mins", "m"), 60),
    **dict.fromkeys(("hour", "hours", "hr", "hrs", "h"), 3600),
    **dict.fromkeys(("day", "days"), 86400),
}
_SIXTIETHS = frozenset([60, 3600])
_COUNTED = frozenset(["percent", "degrees", "degree", "times", *_UNITS])
"""What a number in front of it counts, so that it belongs to no duration before."""

_SPELLED = {"couple": 2.0, "few": 3.0}
_BETWEEN = frozenset(["more", "extra", "additional", "of", "full", "whole"])


@dataclass(frozen=True, slots=True)
class Duration:
    """A span of tokens that says how long, in seconds."""

    start: int
    end: int
    seconds: float


def find_durations(
    parts: Sequence[Token], taken: AbstractSet[int] = frozenset()
) -> list[Duration]:
    """`an hour and a half`, `5 minutes 30`, `half an hour`: in order, not touching."""
    found = []
    at = 0
    while at < len(parts):
        end, seconds = _duration(parts, at)
        if end > at and 0 < seconds <= MAX_SECONDS and taken.isdisjoint(range(at, end)):
            found.append(Duration(at, end, seconds))
            at = end
        else:
            at += 1
    return found


def _duration(parts: Sequence[Token], at: int) -> tuple[int, float]:
    """(end, seconds) of the duration that starts there; end == at if there is none."""
    total, end, unit = 0.0, at, 0
    while True:
        start = end
        if start > at and _text(parts, start) == "and":
            start += 1
        stop, amount, size = _amount(parts, start)
        if stop == start or (unit and size >= unit):
            break
        total, end, unit = total + amount * size, stop, size
        if _texts(parts, end, 3) == ["and", "a", "half"]:
            return end + 3, total + size / 2
        if _texts(parts, end, 3) == ["and", "a", "quarter"]:
            return end + 3, total + size / 4
    if unit in _SIXTIETHS and end < len(parts) and parts[end].number is not None:
        # `1 hour 30`: the next smaller unit
        rest = parts[end].number or 0
        if _text(parts, end + 1) not in _COUNTED and rest < 60:
            return end + 1, total + rest * unit / 60
    return end, total


def _amount(parts: Sequence[Token], at: int) -> tuple[int, float, int]:
    """(end, amount, unit in seconds) of `5 minutes`, `two and a half hours`."""
    texts = _texts(parts, at, 6)
    if texts[:2] == ["half", "a"] or texts[:2] == ["half", "an"]:
        return _with_unit(parts, at + 2, 0.5, at)
    if texts[:3] in (["a", "half", "an"], ["a", "half", "a"]):
        return _with_unit(parts, at + 3, 0.5, at)
    for words, amount in (
        (["three", "quarters", "of", "an"], 0.75),
        (["3", "quarters", "of", "an"], 0.75),
        (["a", "quarter", "of", "an"], 0.25),
        (["quarter", "of", "an"], 0.25),
        (["a", "quarter"], 0.25),
        (["quarter"], 0.25),
        (["half"], 0.5),
    ):
        if texts[: len(words)] == words:
            return _with_unit(parts, at + len(words), amount, at)
    if texts[:1] in (["a"], ["an"], ["another"]):
        if texts[1:2] and texts[1] in _SPELLED:
            skip = 3 if texts[2:3] == ["of"] else 2
            return _with_unit(parts, at + skip, _SPELLED[texts[1]], at)
        # `for a second` is an idiom
        end, amount, unit = _with_unit(parts, at + 1, 1.0, at)
        return (at, 0, 0) if unit == 1 else (end, amount, unit)
    if at < len(parts) and parts[at].number is not None:
        number = parts[at].number or 0.0
        if texts[1:4] == ["and", "a", "half"]:
            return _with_unit(parts, at + 4, number + 0.5, at)
        return _with_unit(parts, at + 1, number, at)
    return at, 0, 0


def _with_unit(
    parts: Sequence[Token], at: int, amount: float, start: int
) -> tuple[int, float, int]:
    if _text(parts, at) in _BETWEEN:
        at += 1
    unit = _UNITS.get(_text(parts, at), 0)
    return (at + 1, amount, unit) if unit else (start, 0, 0)


def find_texts(
    parts: Sequence[Token], taken: Collection[int], keep: Collection[int]
) -> list[tuple[int, int]]:
    """(start, end) of runs of words that no command is made of.

    Only sentences that may hold such a text at all are searched. `taken` are tokens of
    mentions and durations, `keep` such of them that a text may run over.
    """
    if not any(t.text in TEXT_TRIGGERS for t in parts):
        return []
    found: list[tuple[int, int]] = []
    for at, token in enumerate(parts):
        inside = at not in taken or at in keep
        if not inside or token.number is not None or token.text in FRAME_WORDS:
            continue
        if found and found[-1][1] == at:
            found[-1] = (found[-1][0], at + 1)
        else:
            found.append((at, at + 1))
    return found


def text_of(parts: Sequence[Token], start: int, end: int, *, counted: bool) -> str:
    """The speaker's own words of a text.

    `counted` takes in a number before it (`2 liters of milk`). An article in front is
    no part of it.
    """
    if counted and start and parts[start - 1].number is not None:
        start -= 1
    while start < end - 1 and parts[start].text in ARTICLES:
        start += 1
    while start and parts[start].written == "":  # part of what one word means
        start -= 1
    return own_words(parts[start:end])


def _text(parts: Sequence[Token], at: int) -> str:
    return parts[at].text if 0 <= at < len(parts) else ""


def _texts(parts: Sequence[Token], at: int, count: int) -> list[str]:
    return [t.text for t in parts[at : at + count]]
