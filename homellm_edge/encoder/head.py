"""A linear layer on the encoder: how probable is each meaning of a sentence?

Kept in a file (.npz, nothing pickled) that names the encoder it was trained with.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from homellm_edge.encoder.encoder import Vectors
from homellm_edge.encoder.index import PhraseIndexError, StaleIndexError

_MOST_BYTES = 1 << 26


@dataclass(frozen=True, slots=True, eq=False)
class MeaningHead:
    """`weights` is (labels, width), `bias` (labels,); `encoder` its model's digest."""

    labels: tuple[str, ...]
    weights: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32]
    encoder: str

    def __post_init__(self) -> None:
        count = len(self.labels)
        if self.weights.shape[:1] != (count,) or self.bias.shape != (count,):
            raise PhraseIndexError(f"{count} labels have {len(self.bias)} scores")

    def probabilities(self, vector: Vectors) -> npt.NDArray[np.float32]:
        """The probability of each label for a vector of length 1; the sum is 1."""
        scores = self.weights @ vector + self.bias
        raised = np.exp(scores - scores.max())
        share: npt.NDArray[np.float32] = raised / raised.sum()
        return share

    def save(self, path: Path) -> None:
        """Write it in half precision."""
        with path.open("wb") as file:
            np.savez_compressed(
                file,
                labels=np.array(self.labels),
                weights=self.weights.astype(np.float16),
                bias=self.bias.astype(np.float16),
                encoder=np.array(self.encoder),
            )

    @classmethod
    def load(cls, path: Path, encoder: str) -> Self:
        """Read it. Raises StaleIndexError if it belongs to another encoder."""
        try:
            if path.stat().st_size > _MOST_BYTES:
                raise PhraseIndexError(f"{path.name} is far too large")
            with np.load(path, allow_pickle=False) as data:
                made = cls(
                    tuple(str(label) for label in data["labels"]),
                    data["weights"].astype(np.float32),
                    data["bias"].astype(np.float32),
                    str(data["encoder"]),
                )
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as err:
            if isinstance(err, PhraseIndexError):
                raise
            raise PhraseIndexError(
                f"{path.name} cannot be read ({err})", "install the package again"
            ) from err
        if made.encoder != encoder:
            raise StaleIndexError(
                f"{path.name} was made with another encoder", "make it again"
            )
        if not (np.isfinite(made.weights).all() and np.isfinite(made.bias).all()):
            raise PhraseIndexError(f"{path.name} holds no numbers", "install it again")
        return made
