"""Trains the layer that tells meanings by sentence vectors.

`python -m training.meanings`.

Whenever a bank in `homellm_edge/phrases/` or a table in `homellm_edge/translation/`
changes, this has to be run again.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from homellm_edge.encoder import Encoder, MeaningHead
from homellm_edge.models import ENCODER, MEANINGS
from homellm_edge.phrases import load
from homellm_edge.phrases.examples import examples
from homellm_edge.phrases.labels import label_of
from homellm_edge.translation import LANGUAGES

from .foreign import translated_examples

_STEPS = 200
_RATE = 0.03
_DECAY = 1e-3
_SMOOTHING = 0.05


def train_head(
    vectors: npt.NDArray[np.float32], labels: Sequence[str], encoder: str
) -> MeaningHead:
    """Softmax regression with AdamW on all vectors (n, width) at once."""
    classes = sorted(set(labels))
    place = {label: n for n, label in enumerate(classes)}
    count = len(labels)
    target = np.full((count, len(classes)), _SMOOTHING / len(classes), np.float32)
    target[np.arange(count), [place[label] for label in labels]] += 1 - _SMOOTHING
    inputs = np.concatenate([vectors, np.ones((count, 1), np.float32)], axis=1)
    weights = np.zeros((len(classes), inputs.shape[1]), np.float32)
    first, second = np.zeros_like(weights), np.zeros_like(weights)
    for step in range(1, _STEPS + 1):
        scores = inputs @ weights.T
        scores -= scores.max(axis=1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=1, keepdims=True)
        gradient = (scores - target).T @ inputs / count
        first += 0.1 * (gradient - first)
        second += 0.001 * (gradient**2 - second)
        update = (first / (1 - 0.9**step)) / (
            np.sqrt(second / (1 - 0.999**step)) + 1e-8
        )
        weights -= _RATE * (update + _DECAY * weights)
    return MeaningHead(tuple(classes), weights[:, :-1], weights[:, -1], encoder)


def phrases(
    keep: Callable[[str], bool] = lambda template: True,
) -> Iterator[tuple[str, str]]:
    """(sentence, label) of the English bank and, translated, of all others."""
    yield from examples(load("en"), keep)
    known = {label_of(section) for section in load("en").sections}
    for language in LANGUAGES:
        for text, label in translated_examples(language, keep):
            if label in known:
                yield text, label


def make(head: Path, threads: int) -> int:
    """Write the layer to `head`; return the number of phrases."""
    texts, labels = zip(*phrases(), strict=True)
    with Encoder(ENCODER, threads) as encoder:
        vectors = encoder.encode(texts)
        train_head(vectors, labels, encoder.digest).save(head)
    return len(texts)


def _main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser("python -m training.meanings", description=__doc__)
    parser.add_argument("--out", type=Path, default=MEANINGS)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args(argv)
    count = make(arguments.out, arguments.threads)
    size = arguments.out.stat().st_size / 1e6
    sys.stdout.write(f"{arguments.out}: {count} phrases, {size:.2f} MB\n")


if __name__ == "__main__":
    _main()
