"""The token side of a grammar: a model's vocabulary as a trie, kept in a file.

A file holds a trie as it lies in memory, behind a header, so that it could be mapped:
magic, version, a mark of the byte order, the length and the SHA-256 of what follows.
"""

from __future__ import annotations

import hashlib
import os
import struct
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from .._gbnf import Masks, TokenTrie, vocabulary_image
from ..errors import GrammarError

MAX_FILE = 256 << 20
"""Bytes of a trie's file that are still read."""

_MAGIC = b"homellmT"
_VERSION = 2
_ORDER = 0x01020304
_HEADER = struct.Struct("=8sIIQ32s")


def vocabulary_digest(
    pieces: Sequence[bytes],
    allowed: Sequence[bool] | bytes | None = None,
    end_tokens: Iterable[int] = (),
) -> str:
    """A name for a vocabulary by its content: `trie_digest` of the trie made of it."""
    return hashlib.sha256(vocabulary_image(pieces, allowed, end_tokens)).hexdigest()


def trie_digest(trie: TokenTrie) -> str:
    """A name for the trie's vocabulary by its content, 64 hexadecimal digits."""
    return hashlib.sha256(trie.vocabulary).hexdigest()


def save_trie(trie: TokenTrie, path: Path) -> None:
    """Write the trie to a file, all at once: no reader sees a half of it.

    Raises OSError where that cannot be written.
    """
    image = trie.image
    checksum = hashlib.sha256(image).digest()
    header = _HEADER.pack(_MAGIC, _VERSION, _ORDER, len(image), checksum)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name + ".")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(header)
            file.write(image)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def load_trie(path: Path, digest: str | None = None) -> TokenTrie:
    """The trie in a file; with `digest` only if that is its vocabulary's.

    Raises:
        GrammarError: the file is damaged, none of ours, of another version or of
            another vocabulary.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size > MAX_FILE:
            raise _unusable(path, f"it has more than {MAX_FILE} bytes")
        data = file.read(_HEADER.size)
        image = file.read(MAX_FILE)
    if not data.startswith(_MAGIC) or len(data) < _HEADER.size:
        raise _unusable(path, "it is not a file of a vocabulary")
    _, version, order, length, checksum = _HEADER.unpack(data)
    if order != _ORDER:
        raise _unusable(path, "it was written on a machine with another byte order")
    if version != _VERSION:
        raise _unusable(path, f"it has version {version}, not {_VERSION}")
    if length != len(image) or checksum != hashlib.sha256(image).digest():
        raise _unusable(path, "it is damaged")
    try:
        trie = TokenTrie.from_image(image)
    except ValueError as err:
        raise _unusable(path, f"it is damaged ({err})") from None
    if digest is not None and digest != trie_digest(trie):
        raise _unusable(path, "it was made for another vocabulary")
    return trie


def _unusable(path: Path, reason: str) -> GrammarError:
    return GrammarError(
        f"{path.name} cannot be used: {reason}",
        "delete it and have it made again from the model",
    )


__all__ = [
    "MAX_FILE",
    "Masks",
    "TokenTrie",
    "load_trie",
    "save_trie",
    "trie_digest",
    "vocabulary_digest",
]
