"""WordPiece and BERT with mean pooling, plainly, in Python and numpy (float32)."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]

LAYERS, HEADS, EPSILON = 6, 12, 1e-12
UNKNOWN, START, END = 100, 101, 102
LONGEST_WORD = 100


class WordPiece:
    """The tokenizer of the model `bert-base-uncased`, as its authors describe it."""

    def __init__(self, vocabulary: Sequence[str]) -> None:
        self._ids = {token: i for i, token in enumerate(vocabulary)}

    def encode(self, text: str) -> list[int]:
        pieces = [p for word in words(text) for p in self._pieces(word)]
        return [START, *pieces, END]

    def _pieces(self, word: str) -> list[int]:
        if len(word) > LONGEST_WORD:
            return [UNKNOWN]
        pieces, start = [], 0
        while start < len(word):
            for end in range(len(word), start, -1):
                piece = ("##" if start else "") + word[start:end]
                if piece in self._ids:
                    pieces.append(self._ids[piece])
                    start = end
                    break
            else:
                return [UNKNOWN]
        return pieces


def words(text: str) -> list[str]:
    """Lower-case words without accents; each mark of punctuation is one."""
    spaced = []
    for c in unicodedata.normalize("NFD", text):
        kind = unicodedata.category(c)
        if c.isspace():
            spaced.append(" ")
        elif kind in ("Mn", "Cc", "Cf") or c == "\ufffd":
            continue
        elif kind[0] == "P" or (c.isascii() and kind[0] == "S") or is_chinese(c):
            spaced.append(f" {c} ")
        else:
            spaced.append(c.lower())
    return "".join(spaced).split()


def is_chinese(c: str) -> bool:
    return "\u3400" <= c <= "\u4dbf" or "\u4e00" <= c <= "\u9fff"


class Bert:
    """The network; one text at a time."""

    def __init__(self, weights: Mapping[str, Array]) -> None:
        self._weights = weights

    def encode(self, tokens: Sequence[int]) -> Array:
        w = self._weights
        x = (
            w["embeddings.word_embeddings.weight"][list(tokens)]
            + w["embeddings.position_embeddings.weight"][: len(tokens)]
            + w["embeddings.token_type_embeddings.weight"][0]
        )
        x = self._norm(x, "embeddings.LayerNorm")
        for layer in range(LAYERS):
            x = self._layer(x, f"encoder.layer.{layer}")
        mean = x.mean(axis=0)
        return mean / np.linalg.norm(mean)

    def _layer(self, x: Array, name: str) -> Array:
        query, key, value = (
            self._linear(x, f"{name}.attention.self.{part}")
            .reshape(len(x), HEADS, -1)
            .swapaxes(0, 1)
            for part in ("query", "key", "value")
        )
        scores = query @ key.swapaxes(1, 2) / math.sqrt(query.shape[-1])
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        scores /= scores.sum(axis=-1, keepdims=True)
        mixed = (scores @ value).swapaxes(0, 1).reshape(x.shape)
        mixed = self._linear(mixed, f"{name}.attention.output.dense")
        x = self._norm(mixed + x, f"{name}.attention.output.LayerNorm")
        inner = gelu(self._linear(x, f"{name}.intermediate.dense"))
        inner = self._linear(inner, f"{name}.output.dense")
        return self._norm(inner + x, f"{name}.output.LayerNorm")

    def _linear(self, x: Array, name: str) -> Array:
        return x @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]

    def _norm(self, x: Array, name: str) -> Array:
        mean, variance = x.mean(axis=-1, keepdims=True), x.var(axis=-1, keepdims=True)
        plain = (x - mean) / np.sqrt(variance + EPSILON)
        return plain * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]


_erf = np.vectorize(math.erf, otypes=[np.float32])


def gelu(x: Array) -> Array:
    return x * 0.5 * (1 + _erf(x * np.float32(math.sqrt(0.5))))
