"""The phrases nearest to a sentence by its words and letters, without an encoder.

Words, pairs of words and runs of four letters are weighed by how rare they are in the
bank; the cosine tells how near a phrase is, and the nearest ones vote for what they
mean. For languages that no sentence encoder comes for.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Self

import numpy as np
import numpy.typing as npt

from ..errors import HomellmEdgeError
from .bank import Bank
from .examples import examples

_WORD, _PAIR, _LETTERS = 1.0, 1.2, 0.35
"""Weights of the kinds of features."""

_LETTER_RUN = 4
_NEAREST = 40
_SPREAD = 0.05
"""A phrase that is nearer by so much in cosine has e times the vote."""

Floats = npt.NDArray[np.float32]


class PhraseNgrams:
    """Phrases in inverted lists: for each feature, which phrases have it."""

    def __init__(self, phrases: Iterable[tuple[str, str]]) -> None:
        """Take over (sentence, label) pairs."""
        counts: list[Mapping[str, float]] = []
        names: list[str] = []
        for text, label in phrases:
            counts.append(_features(text))
            names.append(label)
        if not names:
            raise HomellmEdgeError("there are no phrases to look in", "give some")
        self.labels = tuple(dict.fromkeys(names))
        """All labels, in the order in which they first occur."""
        number = {label: n for n, label in enumerate(self.labels)}
        self._label = np.array([number[name] for name in names], np.int32)
        seen = Counter(feature for found in counts for feature in found)
        self._rarity = {f: math.log(1 + len(names) / n) for f, n in seen.items()}
        self._lists = self._inverted(counts)

    @classmethod
    def of(cls, bank: Bank) -> Self:
        """The phrases of a bank."""
        return cls(examples(bank))

    def shares(self, text: str) -> Floats:
        """Of each label, its share of the votes; all 0 if nothing is alike."""
        cosines = self.cosines(text)
        count = min(_NEAREST, len(cosines))
        best = np.argpartition(-cosines, count - 1)[:count]
        best = best[cosines[best] > 0]
        votes = np.exp((cosines[best] - 1) / _SPREAD)
        total = np.bincount(self._label[best], votes, len(self.labels))
        shares: Floats = (total / (total.sum() or 1.0)).astype(np.float32)
        return shares

    def cosines(self, text: str) -> Floats:
        """How near each phrase is: 1 if it has the same words."""
        weights = self._weighed(_features(text))
        if not weights:
            return np.zeros(len(self._label), np.float32)
        length = math.sqrt(sum(w * w for w in weights.values()))
        found = [(*self._lists[f], w / length) for f, w in weights.items()]
        at = np.concatenate([phrases for phrases, _, _ in found])
        parts = np.concatenate([held * weight for _, held, weight in found])
        products = np.bincount(at, parts, len(self._label))
        return products.astype(np.float32)

    def _weighed(self, counts: Mapping[str, float]) -> dict[str, float]:
        """Features times their rarity; those that no phrase has say nothing."""
        return {f: n * r for f, n in counts.items() if (r := self._rarity.get(f))}

    def _inverted(
        self, counts: Iterable[Mapping[str, float]]
    ) -> dict[str, tuple[npt.NDArray[np.int32], Floats]]:
        """Feature -> (numbers of phrases, what each holds of it at length 1)."""
        lists: dict[str, tuple[list[int], list[float]]] = defaultdict(lambda: ([], []))
        for number, found in enumerate(counts):
            weights = self._weighed(found)
            length = math.sqrt(sum(w * w for w in weights.values())) or 1.0
            for feature, weight in weights.items():
                phrases, held = lists[feature]
                phrases.append(number)
                held.append(weight / length)
        return {
            feature: (np.array(phrases, np.int32), np.array(held, np.float32))
            for feature, (phrases, held) in lists.items()
        }


def _features(text: str) -> dict[str, float]:
    """The features of a sentence, how often each occurs times its kind's weight."""
    words = text.split()
    counts: defaultdict[str, float] = defaultdict(float)
    for word in words:
        counts[word] += _WORD
        for run in _runs(f"_{word}_"):
            counts[f"#{run}"] += _LETTERS
    for first, second in pairwise(words):
        counts[f"{first} {second}"] += _PAIR
    return counts


def _runs(word: str) -> Iterator[str]:
    for start in range(max(1, len(word) - _LETTER_RUN + 1)):
        yield word[start : start + _LETTER_RUN]
