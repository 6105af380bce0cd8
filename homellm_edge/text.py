"""A text as lower-case tokens, with number words turned into numbers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_TOKEN = re.compile(r"\d+(?:[.,]\d+)?|[^\W\d_]+(?:'[^\W\d_]+)*")
_PAUSE = re.compile(r"[,;.!?]\s")
_SPACED = str.maketrans({"%": " percent ", "°": " degrees ", "\u2019": "'", "`": "'"})
_ONES = tuple(
    (
        "zero one two three four five six seven eight nine ten eleven twelve "
        "thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
    ).split()
)
_TENS = tuple(("twenty thirty forty fifty sixty seventy eighty ninety").split())
_UNITS = {word: value for value, word in enumerate(_ONES)}
_DECADES = {word: 10 * value for value, word in enumerate(_TENS, 2)}
_AND_A_HALF = ["and", "a", "half"]
_NOT_COUNTED = frozenset(("every each any no which that this the next last").split())
"""Before `one`: `every one of them` counts nothing."""


@dataclass(frozen=True, slots=True)
class Token:
    """One word or number; `number` is its value if it is one, written or spelled.

    Where it was translated, `written` has the speaker's own words for it ("" if those
    of the token before stand for both), and `dropped` the words before it that have no
    counterpart. `pause` tells that a comma or a full stop stands before it, `guessed`
    that it was put in place of a slip.
    """

    text: str
    number: float | None = None
    written: str | None = None
    dropped: str = ""
    pause: bool = False
    guessed: bool = False

    @property
    def own(self) -> str:
        """The speaker's own words for it."""
        return self.text if self.written is None else self.written


def plain(text: str) -> str:
    """The text in one Unicode form, signs that are words spelled out."""
    return unicodedata.normalize("NFKC", text).translate(_SPACED)


def words(text: str) -> list[str]:
    """The lower-case words and numbers of a text; apostrophes are dropped."""
    return [w.replace("'", "") for w in _TOKEN.findall(plain(text).casefold())]


def spoken_words(text: str) -> Iterator[tuple[str, bool]]:
    """(word, whether a pause stands before it) of a plain text, apostrophes kept."""
    if not _PAUSE.search(text):
        for word in _TOKEN.findall(text):
            yield word, False
        return
    end = 0
    for found in _TOKEN.finditer(text):
        yield found[0], _PAUSE.search(text, end, found.start()) is not None
        end = found.end()


def tokens(text: str) -> list[Token]:
    """The tokens of a sentence; `twenty one` and `a hundred` become one number."""
    return counted(
        [
            Token(word.replace("'", ""), pause=pause)
            for word, pause in spoken_words(plain(text).casefold())
        ]
    )


def counted(parts: Sequence[Token]) -> list[Token]:
    """The tokens with number words made numbers."""
    out: list[Token] = []
    rest = [t.text for t in parts]
    at = 0
    while at < len(rest):
        value, used = _number(rest, at)
        if used and rest[at + used : at + used + 3] == _AND_A_HALF:
            value, used = value + 0.5, used + 3
        if used:
            said = parts[at : at + used]
            own, first = written(said), said[0]
            guessed = any(t.guessed for t in said)
            out.append(
                Token(_plain(value), value, own, first.dropped, first.pause, guessed)
            )
            at += used
        else:
            out.append(parts[at])
            at += 1
    return out


def written(parts: Sequence[Token]) -> str | None:
    """What the `written` of these tokens is together; None if none has one."""
    if all(t.written is None for t in parts):
        return None
    return own_words(parts)


def own_words(parts: Sequence[Token]) -> str:
    """The speaker's own words for these tokens, with those dropped between them."""
    said = [t for n, part in enumerate(parts) for t in (n and part.dropped, part.own)]
    return " ".join(w for w in said if w).replace("' ", "'")


def _number(rest: Sequence[str], at: int) -> tuple[float, int]:
    """Value and length of the number that starts at that word; length 0 if none."""
    word = rest[at]
    if word[0].isdecimal():  # `isdigit` has figures that float does not know
        return float(word.replace(",", ".")), 1
    if word in _DECADES:
        value = _DECADES[word]
        after = rest[at + 1] if at + 1 < len(rest) else ""
        if 0 < _UNITS.get(after, 0) < 10:
            return float(value + _UNITS[after]), 2
        return float(value), 1
    if word in ("a", "one") and rest[at + 1 : at + 2] == ["hundred"]:
        return 100.0, 2
    if word == "hundred":
        return 100.0, 1
    if word == "one" and at and rest[at - 1] in _NOT_COUNTED:
        return 0.0, 0
    if word in _UNITS:
        return float(_UNITS[word]), 1
    return 0.0, 0


def _plain(value: float) -> str:
    return str(int(value)) if value.is_integer() else str(value)
