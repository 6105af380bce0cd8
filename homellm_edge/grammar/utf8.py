"""Sets of characters as sequences of byte ranges, in UTF-8."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias

Range: TypeAlias = tuple[int, int]

_SPEAKABLE: tuple[Range, ...] = ((0x01, 0xD7FF), (0xE000, 0x10FFFF))
"""No surrogates, which UTF-8 does not have, and no NUL, which no token holds."""

_LENGTHS = (0x7F, 0x7FF, 0xFFFF)
"""The last code points of one, two and three bytes."""


def is_text(points: Iterable[int]) -> bool:
    """Whether a text can hold all these code points."""
    return all(0 < point < 0xD800 or 0xDFFF < point < 0x110000 for point in points)


def characters(ranges: Iterable[Range], negated: bool = False) -> tuple[Range, ...]:
    """The code points in (or outside) the ranges that can occur: sorted, apart."""
    merged: list[Range] = []
    for low, high in sorted(r for r in ranges if r[0] <= r[1]):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    if negated:
        ends = [-1, *(high for _, high in merged)]
        starts = [*(low for low, _ in merged), 0x110000]
        merged = [(e + 1, s - 1) for e, s in zip(ends, starts, strict=True)]
    return tuple(
        (max(low, first), min(high, last))
        for low, high in merged
        for first, last in _SPEAKABLE
        if max(low, first) <= min(high, last)
    )


def byte_ranges(ranges: Iterable[Range]) -> Iterator[tuple[Range, ...]]:
    """Sequences of byte ranges that together are the UTF-8 of these code points."""
    for low, high in ranges:
        yield from _split(low, high)


def _split(low: int, high: int) -> Iterator[tuple[Range, ...]]:
    for last in _LENGTHS:
        if low <= last < high:
            yield from _split(low, last)
            yield from _split(last + 1, high)
            return
    first, final = chr(low).encode(), chr(high).encode()
    for count in range(1, len(first)):
        mask = (1 << (6 * count)) - 1
        if low & ~mask == high & ~mask:
            break
        # All values of the last bytes must be allowed, or the first ones fixed.
        if low & mask:
            yield from _split(low, low | mask)
            yield from _split((low | mask) + 1, high)
            return
        if high & mask != mask:
            yield from _split(low, (high & ~mask) - 1)
            yield from _split(high & ~mask, high)
            return
    yield tuple(zip(first, final, strict=True))
