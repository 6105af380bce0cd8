"""Slips in the words of commands: `trun on teh ligth` -> `turn on the light`.

Only words that nobody uses at home are touched, and only towards the few hundred words
that commands are made of; names have a fuzzy matcher of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache

from .._similarity import distance
from .lexicon import (
    CLAUSE_VERBS,
    COMMAND_WORDS,
    DOMAINS_OF_NOUN,
    FRAME_WORDS,
    STOP_WORDS,
    TEXT_TRIGGERS,
)
from .text import Token, singular

_OWN_WORDS = TEXT_TRIGGERS - COMMAND_WORDS - STOP_WORDS - CLAUSE_VERBS
"""With one of these the sentence may hold words of the speaker's own."""

_KNOWN = COMMAND_WORDS | STOP_WORDS | CLAUSE_VERBS | FRAME_WORDS | set(DOMAINS_OF_NOUN)
_SWITCHING = frozenset(["turn", "turned", "switch", "switched", "shut"])
_BY_LENGTH: dict[int, list[str]] = {}
for _word in sorted(COMMAND_WORDS | CLAUSE_VERBS | set(DOMAINS_OF_NOUN) | STOP_WORDS):
    _BY_LENGTH.setdefault(len(_word), []).append(_word)


def may_hold_own_words(parts: Sequence[Token]) -> bool:
    """Whether it may hold an item or a title, so that no word of it is a slip."""
    return any(t.text in _OWN_WORDS for t in parts)


def corrected(parts: Sequence[Token], is_known: Callable[[str], bool]) -> list[Token]:
    """The tokens with slips put right; `is_known` tells the home's own words."""
    if may_hold_own_words(parts):
        return list(parts)
    out: list[Token] = []
    for token in parts:
        text = token.text
        if token.number is None and not is_known(text):
            right = correction(text)
            out.append(
                token if right == text else replace(token, text=right, guessed=True)
            )
        elif text == "of" and out and out[-1].text in _SWITCHING:
            # `turn of the light`, as speech is often written
            out.append(replace(token, text="off", guessed=True))
        else:
            out.append(token)
    return out


@lru_cache(maxsize=4096)
def correction(word: str) -> str:
    """The one word of commands that is a single slip away, else the word itself."""
    if (
        word in _KNOWN
        or singular(word) in _KNOWN
        or len(word) < 3
        or not word.isascii()
    ):
        return word
    swapped = {
        other
        for other in _BY_LENGTH.get(len(word), ())
        if distance(word, other, 1) == 1 and sorted(word) == sorted(other)
    }
    if len(swapped) == 1:
        return swapped.pop()
    if len(word) < 4:
        return word
    near = {
        other
        for length in range(len(word) - 1, len(word) + 2)
        for other in _BY_LENGTH.get(length, ())
        if len(other) > 3 and other[0] == word[0] and distance(word, other, 1) == 1
    }
    return near.pop() if len(near) == 1 else word
