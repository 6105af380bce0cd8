"""Wanted objects -> the model's answer, in the placeholders of the sentence."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from homellm_edge.grounding import Grounding
from homellm_edge.language import ALL, CLOSE, OPEN


class LostError(Exception):
    """The sentence as grounded does not show something that the answer needs."""


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
    if "except" in wanted:
        out["except"] = _mark("E", found.entities, wanted["except"])
    for key, value in wanted.items():
        if key in ("service", "query", "reply", "device", "place", "except", "domain"):
            continue
        if key not in out:
            out[key] = _value(key, value, found)
    return json.dumps(out)


def _value(key: str, value: Any, found: Grounding) -> str:
    if key == "color":
        return _mark("C", [dict(c) for c in found.colors], value)
    if key in ("effect", "source", "preset_mode", "fan_mode"):
        return _mark("V", found.options, value)
    if isinstance(value, tuple):
        sign, number = value
        return sign + _mark("N", found.numbers, float(number))
    return str(value)


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
