"""A sentence as lower-case tokens, with number words turned into numbers."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

_TOKEN = re.compile(r"\d+(?:[.,]\d+)?|[^\W\d_]+(?:'[^\W\d_]+)*")
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
_NOT_COUNTED = frozenset(("every each any no which that this the next last").split())
"""Before `one`: `every one of them` counts nothing."""


@dataclass(frozen=True, slots=True)
class Token:
    """One word or number; `number` is its value if it is one, written or spelled."""

    text: str
    number: float | None = None


def words(text: str) -> list[str]:
    """The lower-case words and numbers of a text; apostrophes are dropped."""
    plain = unicodedata.normalize("NFKC", text).translate(_SPACED).casefold()
    return [w.replace("'", "") for w in _TOKEN.findall(plain)]


def tokens(text: str) -> list[Token]:
    """The tokens of a sentence; `twenty one` and `a hundred` become one number."""
    out: list[Token] = []
    rest = words(text)
    at = 0
    while at < len(rest):
        value, used = _number(rest, at)
        if used:
            out.append(Token(_plain(value), value))
            at += used
        else:
            out.append(Token(rest[at]))
            at += 1
    return out


def singular(word: str) -> str:
    """The word without a plural s (`lights` -> `light`, `glass` stays)."""
    if len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
        return word[:-1]
    return word


_SOUNDS = (
    ("ph", "f"), ("ck", "k"), ("gh", ""), ("kn", "n"), ("wr", "r"), ("wh", "w"),
    ("sch", "sh"), ("tch", "ch"), ("ce", "se"), ("ci", "si"), ("cy", "si"),
    ("c", "k"), ("q", "k"), ("x", "ks"), ("z", "s"), ("v", "f"), ("kh", "ch"),
    ("y", "i"), ("dg", "g"), ("d", "t"), ("b", "p"),
)  # fmt: skip
_VOWELS = re.compile(r"(?<!^)[aeiouhw]+")
_SILENT = re.compile(r"e$")
_TWICE = re.compile(r"(.)\1+")


@lru_cache(maxsize=8192)
def sound_of(word: str) -> str:
    """How an English word sounds, roughly; "" for what is too short to tell."""
    if len(word) < 5 or not word.isalpha():
        return ""
    sound = word
    for written, spoken in _SOUNDS:
        sound = sound.replace(written, spoken)
    sound = _TWICE.sub(r"\1", _VOWELS.sub("a", _SILENT.sub("", sound)))
    return sound if len(sound) > 2 else ""


def _number(rest: list[str], at: int) -> tuple[float, int]:
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
