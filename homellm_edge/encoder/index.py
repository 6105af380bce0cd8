"""The vectors of many phrases in 8 bits, and the phrases nearest to a vector.

Kept in a file (.npz, nothing pickled) that names the encoder and the phrases that made
it: one of another encoder or of other phrases is an error, not wrong answers.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt

from homellm_edge.encoder.encoder import Vectors
from homellm_edge.errors import HomellmEdgeError

_FORMAT = 1
_MEMBERS = frozenset({"about", "rows", "scales"})
_MOST_BYTES = 1 << 28  # unpacked, of one member
_LARGEST = 127
UNREADABLE = (
    OSError,
    ValueError,
    KeyError,
    EOFError,
    MemoryError,
    RecursionError,
    NotImplementedError,  # a way of packing that Python does not know
    RuntimeError,  # an encrypted member
    zipfile.BadZipFile,
    zlib.error,
)
"""What reading a damaged .npz file may raise."""

_BLOCK = 512  # rows that are made floats at a time: they stay in the processor's cache


class PhraseIndexError(HomellmEdgeError, ValueError):
    """An index file that is missing or damaged, or data that make no index."""


class StaleIndexError(PhraseIndexError):
    """An index file made with another encoder or from other phrases."""


class Encodes(Protocol):
    """What an index needs of an encoder."""

    @property
    def digest(self) -> str:
        """Which encoder it is: SHA-256 of the model file."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One vector of length 1 for each text."""


@dataclass(frozen=True, slots=True, eq=False)
class PhraseIndex:
    """Phrases, what each means, and their vectors. Made by `build` or `load`.

    A vector is its row of `rows` (8-bit numbers) times its number in `scales`, of
    length 1. `encoder` is the digest of the encoder that made them.
    """

    phrases: tuple[str, ...]
    meanings: tuple[str, ...]
    encoder: str
    rows: npt.NDArray[np.int8]
    scales: npt.NDArray[np.float32]

    def __post_init__(self) -> None:
        count = len(self.phrases)
        if len(self.meanings) != count:
            raise PhraseIndexError(
                f"{count} phrases have {len(self.meanings)} meanings",
                "give one meaning for each phrase",
            )
        if self.rows.shape[:1] != (count,) or self.scales.shape != (count,):
            raise PhraseIndexError(f"{count} phrases have {len(self.rows)} vectors")

    @classmethod
    def build(
        cls, encoder: Encodes, phrases: Sequence[str], meanings: Sequence[str]
    ) -> Self:
        """Encode `phrases`; `meanings` has the id of what each one means."""
        return cls.of(encoder.encode(phrases), phrases, meanings, encoder.digest)

    @classmethod
    def of(
        cls,
        vectors: Vectors,
        phrases: Sequence[str],
        meanings: Sequence[str],
        encoder: str,
    ) -> Self:
        """Take vectors of length 1 that are there already; `encoder` is its digest."""
        rows, scales = _quantise(vectors)
        return cls(tuple(phrases), tuple(meanings), encoder, rows, scales)

    def joined(self, other: PhraseIndex) -> PhraseIndex:
        """Both together; both must be of the same encoder."""
        if other.encoder != self.encoder:
            raise StaleIndexError("the indexes are of different encoders")
        return PhraseIndex(
            (*self.phrases, *other.phrases),
            (*self.meanings, *other.meanings),
            self.encoder,
            np.concatenate([self.rows, other.rows]),
            np.concatenate([self.scales, other.scales]),
        )

    @property
    def width(self) -> int:
        """How many numbers a vector has."""
        return int(self.rows.shape[1])

    def similarities(self, vector: Vectors) -> Vectors:
        """The cosine of the angle between `vector` and each phrase's."""
        if vector.shape != (self.width,):
            raise PhraseIndexError(
                f"a vector of shape {vector.shape} meets vectors of {self.width} "
                "numbers",
                "use the encoder that the index was made with",
            )
        length = np.linalg.norm(vector)
        unit = (vector / (length if length > 0 else 1)).astype(np.float32)
        cosines = np.empty(len(self.rows), np.float32)
        for start in range(0, len(self.rows), _BLOCK):
            block = self.rows[start : start + _BLOCK].astype(np.float32)
            np.matmul(block, unit, out=cosines[start : start + _BLOCK])
        cosines *= self.scales
        return cosines

    def nearest(self, vector: Vectors, k: int) -> list[tuple[int, float]]:
        """The `k` phrases nearest to `vector`, best first: (phrase number, cosine)."""
        if k < 1 or not self.phrases:
            return []
        cosines = self.similarities(vector)
        best = np.arange(len(cosines))
        if k < len(best):
            best = np.sort(np.argpartition(-cosines, k - 1)[:k])
        best = best[np.argsort(-cosines[best], kind="stable")]
        return [(int(i), float(cosines[i])) for i in best]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write to a file; the same index gives the same bytes."""
        path = Path(path)
        about = {
            "format": _FORMAT,
            "encoder": self.encoder,
            "digest": phrases_digest(self.phrases, self.meanings),
            "phrases": self.phrases,
            "meanings": self.meanings,
        }
        text = json.dumps(about, ensure_ascii=False).encode("utf-8", "surrogatepass")
        partial = ""
        try:
            with tempfile.NamedTemporaryFile(
                dir=path.parent, prefix=f".{path.name}-", delete=False
            ) as file:
                partial = file.name
                np.savez_compressed(
                    file,
                    about=np.frombuffer(text, np.uint8),
                    rows=self.rows,
                    scales=self.scales,
                )
            Path(partial).chmod(0o644)
            Path(partial).replace(path)
        except OSError as err:
            if partial:
                Path(partial).unlink(missing_ok=True)
            raise PhraseIndexError(
                f"the phrase index {path} cannot be written ({err})",
                "check the folder and the space that is left",
            ) from err

    @classmethod
    def load(
        cls, path: str | os.PathLike[str], *, encoder: str, phrases: str = ""
    ) -> Self:
        """Read a file that `save` wrote.

        `encoder` is the digest of the encoder in use, `phrases` the `phrases_digest` of
        the phrases in use; without it those in the file are taken. Raises
        PhraseIndexError, StaleIndexError above all.
        """
        path = Path(path)
        about, rows, scales = _read(path)
        try:
            index = cls(
                _texts(about, "phrases"),
                _texts(about, "meanings"),
                str(about["encoder"]),
                rows,
                scales,
            )
            _check_numbers(rows, scales)
        except (KeyError, ValueError) as err:  # PhraseIndexError is one
            raise _damaged(path, err) from err
        digest = phrases_digest(index.phrases, index.meanings)
        if about.get("digest") != digest:
            raise _damaged(path, "its phrases are not those that it was made from")
        if index.encoder != encoder:
            raise _stale(path, "with another encoder")
        if phrases and digest != phrases:
            raise _stale(path, "from other phrases")
        return index


def phrases_digest(phrases: Sequence[str], meanings: Sequence[str]) -> str:
    """A hash of phrases with their meanings, in order."""
    text = json.dumps([list(phrases), list(meanings)], ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _quantise(
    vectors: Vectors,
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    largest = np.abs(vectors).max(axis=1, keepdims=True, initial=np.float32(1e-30))
    rows = np.rint(vectors * (_LARGEST / largest)).astype(np.int8)
    # not largest / 127: this makes the rounded vector one of length 1 again
    lengths = np.linalg.norm(rows.astype(np.float32), axis=1)
    return rows, (1 / np.maximum(lengths, 1)).astype(np.float32)


def _read(
    path: Path,
) -> tuple[dict[str, Any], npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    try:
        with zipfile.ZipFile(path) as archive:
            sizes = {member.filename: member.file_size for member in archive.infolist()}
        if set(sizes) != {f"{name}.npy" for name in _MEMBERS}:
            raise _damaged(path, "it has other parts")
        if max(sizes.values()) > _MOST_BYTES:
            raise _damaged(path, "it is far too large")
        with np.load(path, allow_pickle=False) as file:
            text, rows, scales = file["about"], file["rows"], file["scales"]
        if (text.dtype, text.ndim) != (np.uint8, 1):
            raise _damaged(path, "its texts are no texts")
        if (rows.dtype, rows.ndim) != (np.int8, 2):
            raise _damaged(path, "its vectors are no 8-bit numbers")
        if (scales.dtype, scales.ndim) != (np.float32, 1):
            raise _damaged(path, "its scales are no 32-bit numbers")
        about = json.loads(text.tobytes().decode("utf-8", "surrogatepass"))
    except FileNotFoundError:
        raise PhraseIndexError(
            f"the phrase index {path} does not exist", "build it"
        ) from None
    except PhraseIndexError:
        raise
    except UNREADABLE as err:
        raise _damaged(path, err) from err
    if not isinstance(about, dict) or about.get("format") != _FORMAT:
        raise _damaged(path, "it is of another format")
    return about, rows, scales


def _texts(about: dict[str, Any], key: str) -> tuple[str, ...]:
    texts = about[key]
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise ValueError(f"its {key} are no texts")
    return tuple(texts)


def _check_numbers(rows: npt.NDArray[np.int8], scales: npt.NDArray[np.float32]) -> None:
    lengths = np.linalg.norm(rows.astype(np.float32), axis=1) * scales
    if not bool(np.all(np.abs(lengths - 1) < 1e-3)):  # false for what is no number, too
        raise ValueError("its vectors are not of length 1")


def _damaged(path: Path, reason: object) -> PhraseIndexError:
    return PhraseIndexError(
        f"the phrase index {path} is damaged ({reason})", "delete it: it is made anew"
    )


def _stale(path: Path, made: str) -> StaleIndexError:
    return StaleIndexError(
        f"the phrase index {path} was made {made}", "build it again from the phrases"
    )
