"""Numbers as people write and speak them."""

from __future__ import annotations

import random

_ONES = tuple(
    (
        "zero one two three four five six seven eight nine ten eleven twelve "
        "thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
    ).split()
)
_TENS = tuple(("twenty thirty forty fifty sixty seventy eighty ninety").split())


def spoken(rng: random.Random, number: float) -> str:
    """Digits or words."""
    if number != int(number) or number >= 100 or rng.random() < 0.6:
        return f"{number:g}"
    tens, ones = divmod(int(number), 10)
    if number < 20:
        return _ONES[int(number)]
    return _TENS[tens - 2] + (f" {_ONES[ones]}" if ones else "")
