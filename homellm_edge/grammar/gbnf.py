"""Small pieces of GBNF text: literals and number ranges, correctly escaped."""

from __future__ import annotations

import json
from collections.abc import Iterable

from ..services import Span

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


def numbers(allowed: Iterable[float] | Span) -> str:
    """A GBNF expression for these numbers, each written in its shortest form.

    Of a span with decimals a number may also end in zeros behind the point. Raises
    ValueError if there is no number.
    """
    if not isinstance(allowed, Span):
        return any_of(literal(f"{v:.10g}") for v in sorted(allowed, key=_shape))
    low, high, decimals = allowed.low, allowed.high, allowed.decimals
    if low > high:
        raise ValueError(f"empty number range {low} to {high}")
    parts = []
    if low < 0:
        least = -high if high < 0 else (0 if decimals else 1)
        parts.append(f'"-" ({_with_decimals(least, -low, decimals)})')
    if high >= 0:
        parts.append(_with_decimals(max(low, 0), high, decimals))
    return any_of(parts)


def _shape(value: float) -> tuple[int, float]:
    return (len(f"{value:.10g}"), value)


def _with_decimals(low: int, high: int, decimals: int) -> str:
    """The numbers from low to high (0 <= low <= high) of at most so many decimals."""
    if not decimals or low == high:
        return _whole(low, high)
    whole = _whole(low, high - 1)
    repeat = "" if decimals == 1 else f"{{1,{decimals}}}"
    return f'({whole}) ("." [0-9]{repeat})? | "{high}"'


def _whole(low: int, high: int) -> str:
    """The whole numbers from low to high (0 <= low <= high) without leading zeros."""
    parts: list[str] = []
    for length in range(len(str(low)), len(str(high)) + 1):
        least = max(low, 10 ** (length - 1) if length > 1 else 0)
        parts += _digits(str(least), str(min(high, 10**length - 1)))
    return any_of(parts)


def _digits(low: str, high: str) -> list[str]:
    """Patterns for the numbers from low to high, both of the same length."""
    if low == high:
        return [f'"{low}"']
    same = next(n for n in range(len(low)) if low[n] != high[n])
    if same:
        return [_led(low[:same], _digits(low[same:], high[same:]))]
    first, last, tail = int(low[0]), int(high[0]), len(low) - 1
    parts = []
    if tail and low[1:] != "0" * tail:
        parts.append(_led(low[0], _digits(low[1:], "9" * tail)))
        first += 1
    ends = []
    if tail and high[1:] != "9" * tail:
        ends.append(_led(high[0], _digits("0" * tail, high[1:])))
        last -= 1
    if first <= last:
        lead = f'"{first}"' if first == last else f"[{first}-{last}]"
        parts.append(lead + " [0-9]" * tail)
    return parts + ends


def _led(lead: str, rest: list[str]) -> str:
    joined = any_of(rest)
    return f'"{lead}" ({joined})' if len(rest) > 1 else f'"{lead}" {joined}'
