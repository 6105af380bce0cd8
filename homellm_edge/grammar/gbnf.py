"""Small pieces of GBNF text: literals and number ranges, correctly escaped."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable

_MAX_LISTED = 130
"""Up to so many values are written out one by one; more become digit patterns."""

_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def literal(text: str) -> str:
    """A GBNF string literal that matches exactly this text."""
    out = []
    for character in text:
        if character in _ESCAPES:
            out.append(_ESCAPES[character])
        elif ord(character) < 32 or ord(character) == 127:
            out.append(f"\\x{ord(character):02X}")
        else:
            out.append(character)
    return '"' + "".join(out) + '"'


def json_text(value: str) -> str:
    """A GBNF string literal that matches the text as a JSON string, quotes included."""
    return literal(json.dumps(value, ensure_ascii=False))


def any_of(items: Iterable[str]) -> str:
    """Alternatives of GBNF expressions; raises ValueError if there are none."""
    parts = list(dict.fromkeys(items))
    if not parts:
        raise ValueError("a GBNF alternative needs at least one item")
    return " | ".join(parts)


def number(minimum: float, maximum: float, step: float = 1) -> str:
    """A GBNF expression for the numbers from minimum to maximum by step, inclusive.

    Whole numbers have no decimals. Ranges of more than 130 values allow every whole
    number in them (and none between), whatever the step.
    """
    if not (math.isfinite(minimum) and math.isfinite(maximum)) or minimum > maximum:
        raise ValueError(f"empty number range {minimum} to {maximum}")
    step = step if step > 0 else 1
    count = int((maximum - minimum) / step + 1e-6) + 1
    if count <= _MAX_LISTED:
        values = {round(minimum + k * step, 4) for k in range(count)}
        return any_of(literal(f"{v:.10g}") for v in sorted(values, key=_shape))
    low, high = math.ceil(minimum), math.floor(maximum)
    parts = []
    if low < 0:
        parts += [f'"-" ({p})' for p in _digits(max(1, -min(high, -1)), -low)]
    if high >= 0:
        parts += _digits(max(low, 0), high)
    return any_of(parts)


def _shape(value: float) -> tuple[int, float]:
    return (len(f"{value:.10g}"), value)


def _digits(low: int, high: int) -> list[str]:
    """Digit patterns for the whole numbers from low to high (0 <= low <= high)."""
    parts: list[str] = []
    while low <= high:
        power = 1
        # Widen the last digits as long as they cover whole blocks of ten.
        while low % (power * 10) == 0 and low + power * 10 - 1 <= high and low > 0:
            power *= 10
        if power > 1 or low == 0:
            lead, tail = divmod(low, power)
            parts.append(
                f'"{lead}"' + " [0-9]" * (len(str(power)) - 1) if power > 1 else '"0"'
            )
            low = (lead + 1) * power + tail
        else:
            parts.append(f'"{low}"')
            low += 1
    return parts
