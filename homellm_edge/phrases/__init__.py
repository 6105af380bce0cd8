"""Phrase banks: how people say each thing, written by hand, one text file a topic.

The training data are composed from them, and the nearest ones to a sentence are hints
for the model. The form is described in `docs/phrases.md`.
"""

from .bank import Bank, PhraseError, Section, load, read
from .own import own_phrases

__all__ = ["Bank", "PhraseError", "Section", "load", "own_phrases", "read"]
