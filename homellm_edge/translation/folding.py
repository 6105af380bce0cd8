"""Words without their diacritics, as they are written where a keyboard has none."""

from __future__ import annotations

import unicodedata

_LETTERS = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ß": "ss", "æ": "ae", "œ": "oe", "\u0131": "i"}
)
_TWO_LETTERS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa"})


def stripped(word: str) -> str:
    """`küche` as `kuche`, `łazienka` as `lazienka`."""
    if word.isascii():
        return word
    apart = unicodedata.normalize("NFKD", word.translate(_LETTERS))
    return "".join(c for c in apart if not unicodedata.combining(c))


def in_two_letters(word: str) -> str:
    """`küche` as `kueche`; what has no second letter is stripped."""
    return stripped(word.translate(_TWO_LETTERS))
