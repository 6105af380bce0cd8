"""Hints without a sentence encoder: what the phrases with the most alike words mean.

For languages that no encoder comes for, and to measure what the encoder is worth.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Self

from .grounding import Grounding
from .home import Home
from .meaning import Meaning, plain_text, possible
from .phrases import load
from .phrases.labels import LIKELY, MOST_HINTS, PERHAPS, SURE, Hint
from .phrases.ngrams import PhraseNgrams

_BOUNDS = ((0.999, SURE), (0.99, LIKELY), (0.7, PERHAPS))
"""Share of the votes from which a hint counts so: 90, 80 and 60 of 100 phrasings that
were kept out of the bank are right."""


class WordHints:
    """A `dialects.HintSource` made of the phrases of a language."""

    def __init__(self, phrases: PhraseNgrams) -> None:
        """Take over the phrases."""
        self._phrases = phrases

    @classmethod
    def load(cls, language: str = "en") -> Self:
        """The phrases that come with the library; the first call takes a second.

        Raises PhraseError if there are none in that language.
        """
        return cls(_phrases(language))

    def hints(self, found: Grounding, home: Home) -> Sequence[Hint]:
        """The likeliest meanings that this home could carry out."""
        chosen = self.meanings(found, home)[:MOST_HINTS]
        return [(label, mark) for label, share in chosen if (mark := _mark(share))]

    def meanings(self, found: Grounding, home: Home) -> list[Meaning]:
        """Labels that are possible here with their shares, likeliest first."""
        shares = self._phrases.shares(plain_text(found, home))
        voted = zip(self._phrases.labels, shares, strict=True)
        return possible(((x, s) for x, s in voted if s > 0), found, home)


@lru_cache(maxsize=2)
def _phrases(language: str) -> PhraseNgrams:
    return PhraseNgrams.of(load(language))


def _mark(share: float) -> str:
    return next((mark for bound, mark in _BOUNDS if share >= bound), "")
