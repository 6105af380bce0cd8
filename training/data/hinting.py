"""Hints as they are at run time: mostly right, sometimes wrong, often missing.

The true meaning of every training sentence is known, and its very phrase is in the bank
that the encoder searches. Hints made by the encoder would always be right, and the
model would learn nothing else; so they are drawn, with the confusions of unseen
phrasings.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import lru_cache

from homellm_edge.phrases.labels import LIKELY, PERHAPS, SURE, Hint, labels

_NO_HINT = 0.3
_RIGHT_FIRST = 0.8
_RIGHT_SECOND = 0.1


def noisy_hints(rng: random.Random, label: str | None) -> tuple[Sequence[Hint], bool]:
    """(hints, whether the first is right and good) for a sentence of that meaning."""
    if rng.random() < _NO_HINT:
        return (), False
    roll = rng.random()
    if label is None or roll >= _RIGHT_FIRST + _RIGHT_SECOND:
        first = _other(rng, label)
        second = _other(rng, first)
        quality = rng.choices((SURE, LIKELY, PERHAPS), (5, 35, 60))[0]
        return _some(rng, (first, quality), (second, PERHAPS)), False
    if roll < _RIGHT_FIRST:
        quality = rng.choices((SURE, LIKELY, PERHAPS), (45, 40, 15))[0]
        second = _other(rng, label)
        hints = _some(rng, (label, quality), (second, PERHAPS))
        return hints, quality != PERHAPS
    quality = rng.choices((SURE, LIKELY, PERHAPS), (5, 45, 50))[0]
    second = rng.choice((LIKELY, PERHAPS)) if quality != PERHAPS else PERHAPS
    return ((_other(rng, label), quality), (label, second)), False


def with_words_lost(rng: random.Random, text: str) -> str:
    """The sentence without most of its plain words: only the hint tells the action."""
    kept = [
        word
        for word in text.split(" ")
        if word.startswith("<") or word in _STAYING or rng.random() < 0.4
    ]
    return " ".join(kept)


_STAYING = frozenset("not dont except but all other and".split())


def _some(rng: random.Random, first: Hint, second: Hint) -> Sequence[Hint]:
    return (first, second) if rng.random() < 0.5 else (first,)


def _other(rng: random.Random, label: str | None) -> str:
    """A meaning that may be taken for this one: mostly of the same domain."""
    near = [x for x in _of_domain(_domain(label)) if x != label] if label else []
    if near and rng.random() < 0.7:
        return rng.choice(near)
    return rng.choice([x for x in labels() if x != label])


def _domain(label: str) -> str:
    return label.partition(".")[0].partition(" ")[0]


@lru_cache(maxsize=64)
def _of_domain(domain: str) -> tuple[str, ...]:
    return tuple(x for x in labels() if _domain(x) == domain)
