"""Sentences as vectors, and the known phrases nearest to one."""

from .encoder import Encoder
from .head import MeaningHead
from .index import PhraseIndex, PhraseIndexError, StaleIndexError, phrases_digest

__all__ = [
    "Encoder",
    "MeaningHead",
    "PhraseIndex",
    "PhraseIndexError",
    "StaleIndexError",
    "phrases_digest",
]
