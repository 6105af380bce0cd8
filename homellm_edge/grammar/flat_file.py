"""Files of flat bytes that are made again when they are of no use.

A header comes first: magic, version, a mark of the byte order, the length and the
SHA-256 of what follows. Nothing in it is ever run or unpickled.
"""

from __future__ import annotations

import hashlib
import os
import struct
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ..errors import GrammarError

_ORDER = 0x01020304
_HEADER = struct.Struct("=8sIIQ32s")


@dataclass(frozen=True, slots=True)
class FileKind:
    """What a file holds."""

    magic: bytes
    """Eight bytes that it begins with."""
    version: int
    name: str
    """What it is of, for people: "a vocabulary"."""
    cure: str
    """What to do if it cannot be used."""
    largest: int
    """Bytes that are still read."""


def write_flat(path: Path, kind: FileKind, content: bytes) -> None:
    """Write a file all at once: no reader sees a half of it.

    Raises OSError where that cannot be written.
    """
    checksum = hashlib.sha256(content).digest()
    header = _HEADER.pack(kind.magic, kind.version, _ORDER, len(content), checksum)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name + ".")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(header)
            file.write(content)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def read_flat(path: Path, kind: FileKind) -> bytes:
    """The content of a file.

    Raises:
        GrammarError: the file is damaged, of another kind or of another version.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size > kind.largest:
            raise unusable(path, kind, f"it has more than {kind.largest} bytes")
        header = file.read(_HEADER.size)
        content = file.read(kind.largest)
    if not header.startswith(kind.magic) or len(header) < _HEADER.size:
        raise unusable(path, kind, f"it is not a file of {kind.name}")
    _, version, order, length, checksum = _HEADER.unpack(header)
    if order != _ORDER:
        raise unusable(path, kind, "it was written on a machine of other byte order")
    if version != kind.version:
        raise unusable(path, kind, f"it has version {version}, not {kind.version}")
    if length != len(content) or checksum != hashlib.sha256(content).digest():
        raise unusable(path, kind, "it is damaged")
    return content


def unusable(path: Path, kind: FileKind, reason: str) -> GrammarError:
    """The error of a file that cannot be used, with the cure of its kind."""
    return GrammarError(f"{path.name} cannot be used: {reason}", kind.cure)


__all__ = ["FileKind", "read_flat", "unusable", "write_flat"]
