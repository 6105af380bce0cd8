"""Words as the matcher compares them: without a plural s, and as they sound."""

from __future__ import annotations

import re
from functools import lru_cache

from ..text import Token, tokens, words

__all__ = ["Token", "singular", "sound_of", "tokens", "words"]


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
