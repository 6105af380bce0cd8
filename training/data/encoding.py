"""Wanted objects -> the model's answer, in the placeholders of the sentence."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from homellm_edge.grounding import Grounding
from homellm_edge.language import ALL, CLOSE, OPEN
from homellm_edge.text import tokens, words


class LostError(Exception):
    """The sentence as grounded does not show something that the answer needs."""


@dataclass(frozen=True, slots=True)
class Text:
    """Words of the speaker's own that the answer refers to."""

    words: str


@dataclass(frozen=True, slots=True)
class Length:
    """A duration that the answer refers to."""

    seconds: float


def encode(wanted: Sequence[Mapping[str, Any]], found: Grounding) -> str:
    """The answer text; raises LostError if something is not marked."""
    return OPEN + "".join(f"{_line(w, found)}\n" for w in wanted) + CLOSE


def _line(wanted: Mapping[str, Any], found: Grounding) -> str:
    out: dict[str, str] = {}
    for key in ("service", "query", "reply"):
        if key in wanted:
            out[key] = wanted[key]
    if wanted.get("query") in ("list", "count", "any", "all"):
        out["domain"] = wanted["domain"]
    if wanted.get("query") == "value":
        out["attribute"] = wanted["attribute"]
    if "device" in wanted:
        out["target_device"] = _mark("E", found.entities, wanted["device"])
    if "place" in wanted:
        out["target_area"] = _place(wanted["place"], found)
    if "timer" in wanted:
        out["target_timer"] = _timer(wanted["timer"], found)
    if "list" in wanted:
        out["target_list"] = wanted["list"]
    if wanted.get("query") in ("weather", "rain", "events"):
        out = {"query": out["query"], "when": wanted["when"], **out}
    if "except" in wanted:
        out["except"] = _mark("E", found.entities, wanted["except"])
    for key, value in wanted.items():
        if key in _DONE:
            continue
        if key not in out:
            out[key] = _value(key, value, found)
    return json.dumps(out)


_DONE = frozenset(
    "service query reply device place except domain timer list when".split()
)


def _value(key: str, value: Any, found: Grounding) -> str:
    if key == "color":
        return _mark("C", [dict(c) for c in found.colors], value)
    if isinstance(value, Text):
        return _text(value, found, counted=key == "item")
    if isinstance(value, Length):
        return _length(value, found)
    if key in _OPTIONS:
        return _mark("V", found.options, value)
    if isinstance(value, tuple):
        sign, number = value
        return sign + _mark("N", found.numbers, float(number))
    return str(value)


_OPTIONS = frozenset("effect source preset_mode fan_mode mode operation_mode".split())


def _timer(timer: Any, found: Grounding) -> str:
    if isinstance(timer, Text):
        return _text(timer, found)
    if isinstance(timer, Length):
        return _length(timer, found)
    return str(timer[0]) if timer[0] != "place" else _place(timer[1], found)


def _length(length: Length, found: Grounding) -> str:
    return _mark("D", [d.seconds for d in found.durations], length.seconds)


def _text(text: Text, found: Grounding, *, counted: bool = False) -> str:
    wanted = " ".join(t.text for t in tokens(text.words))
    for first in range(len(found.texts)):
        for last in range(first, len(found.texts)):
            said = found.written(first, last, counted=counted)
            # Of a translated sentence it is in the speaker's own words.
            if said == wanted or words(said) == words(text.words):
                mark = f"<T{first + 1}>"
                return mark if first == last else f"{mark}<T{last + 1}>"
    raise LostError(f"T {wanted}")


def _place(place: str, found: Grounding) -> str:
    if place == ALL:
        return ALL
    if place == "<here>":
        if found.here is None:
            raise LostError("here")
        return place
    return _mark("A", found.places, place)


def _mark(letter: str, known: Sequence[Any], wanted: Any) -> str:
    for number, item in enumerate(known, 1):
        if item == wanted:
            return f"<{letter}{number}>"
    raise LostError(f"{letter} {wanted}")
