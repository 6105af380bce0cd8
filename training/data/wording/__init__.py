"""How each language says what the makers of sentences want said."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from ... import TrainingError
from .base import HomeWords, Kind, Wording
from .english import ENGLISH
from .french import French
from .german import German
from .polish import Polish
from .spanish import Spanish

__all__ = ["ENGLISH", "LANGUAGES", "HomeWords", "Kind", "Wording", "wording_of"]

_FOREIGN: dict[str, Callable[[], Wording]] = {
    "de": German,
    "fr": French,
    "es": Spanish,
    "pl": Polish,
}

LANGUAGES = (ENGLISH.language, *_FOREIGN)
"""English first, then those that the others are drawn from."""


@lru_cache(maxsize=8)
def wording_of(language: str) -> Wording:
    """The wording of a language; reads its words when it is first asked for."""
    if language == ENGLISH.language:
        return ENGLISH
    if language not in _FOREIGN:
        raise TrainingError(
            f"no sentences can be composed in {language!r}",
            f"use one of {', '.join(LANGUAGES)}",
        )
    return _FOREIGN[language]()
