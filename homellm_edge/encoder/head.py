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
from homellm_edge.encoder.index import UNREADABLE, PhraseIndexError, StaleIndexError

_MOST_BYTES = 1 << 26  # unpacked, of one member
_MEMBERS = frozenset({"labels", "weights", "bias", "encoder"})


@dataclass(frozen=True, slots=True, eq=False)
class MeaningHead:
    """`weights` is (labels, width), `bias` (labels,); `encoder` its model's digest."""

    labels: tuple[str, ...]
    weights: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32]
    encoder: str

    def __post_init__(self) -> None:
        count = len(self.labels)
        rows = self.weights.shape[0] if self.weights.ndim == 2 else 0
        if not rows == count == self.bias.size or self.bias.ndim != 1:
            raise PhraseIndexError(f"{count} labels have {rows} rows of weights")

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
            with zipfile.ZipFile(path) as archive:
                sizes = {m.filename: m.file_size for m in archive.infolist()}
            if set(sizes) != {f"{name}.npy" for name in _MEMBERS}:
                raise PhraseIndexError(f"{path.name} is no layer of an encoder")
            if max(sizes.values()) > _MOST_BYTES:
                raise PhraseIndexError(f"{path.name} is far too large")
            with np.load(path, allow_pickle=False) as data:
                weights, bias = data["weights"], data["bias"]
                if weights.dtype.kind != "f" or bias.dtype.kind != "f":
                    raise PhraseIndexError(f"{path.name} holds no numbers")
                made = cls(
                    tuple(str(label) for label in np.atleast_1d(data["labels"])),
                    weights.astype(np.float32),
                    bias.astype(np.float32),
                    str(data["encoder"]),
                )
        except PhraseIndexError:
            raise
        except UNREADABLE as err:
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
