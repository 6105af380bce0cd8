"""The header of a GGUF file, read with suspicion: every count is checked before use.

Nothing is mapped or executed, nothing larger than the file is ever allocated. Reads
GGUF versions 2 and 3, little endian.
"""

from __future__ import annotations

import stat
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

from homellm_edge.errors import ModelError

Scalar = int | float | bool | str

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_CHUNK = 1 << 18
_MAX_KEY = 65_535
_MAX_KEPT_STRING = 1 << 20
_MAX_KEPT_ARRAY = 4096
_MAX_HEADER = 1 << 30
_MAX_DIMENSIONS = 4
_MAX_TENSOR_NAME = 63
_DEFAULT_ALIGNMENT = 32
_STRING = 8
_ARRAY = 9
_SCALARS = {
    0: struct.Struct("<B"),
    1: struct.Struct("<b"),
    2: struct.Struct("<H"),
    3: struct.Struct("<h"),
    4: struct.Struct("<I"),
    5: struct.Struct("<i"),
    6: struct.Struct("<f"),
    7: struct.Struct("<?"),
    10: struct.Struct("<Q"),
    11: struct.Struct("<q"),
    12: struct.Struct("<d"),
}
_U32 = _SCALARS[4]
_U64 = _SCALARS[10]

# ggml type -> (elements in a block, bytes of a block)
_BLOCKS = {
    0: (1, 4),  # F32
    1: (1, 2),  # F16
    2: (32, 18),  # Q4_0
    3: (32, 20),  # Q4_1
    6: (32, 22),  # Q5_0
    7: (32, 24),  # Q5_1
    8: (32, 34),  # Q8_0
    10: (256, 84),  # Q2_K
    11: (256, 110),  # Q3_K
    12: (256, 144),  # Q4_K
    13: (256, 176),  # Q5_K
    14: (256, 210),  # Q6_K
    15: (256, 292),  # Q8_K
    16: (256, 66),  # IQ2_XXS
    17: (256, 74),  # IQ2_XS
    18: (256, 98),  # IQ3_XXS
    19: (256, 50),  # IQ1_S
    20: (32, 18),  # IQ4_NL
    21: (256, 110),  # IQ3_S
    22: (256, 82),  # IQ2_S
    23: (256, 136),  # IQ4_XS
    24: (1, 1),  # I8
    25: (1, 2),  # I16
    26: (1, 4),  # I32
    27: (1, 8),  # I64
    28: (1, 8),  # F64
    29: (256, 56),  # IQ1_M
    30: (1, 2),  # BF16
    34: (256, 54),  # TQ1_0
    35: (256, 66),  # TQ2_0
    39: (32, 17),  # MXFP4
    40: (64, 36),  # NVFP4
    41: (128, 18),  # Q1_0
    42: (64, 18),  # Q2_0
}


@dataclass(frozen=True, slots=True)
class Header:
    """What a GGUF file says about itself.

    `values` has scalars and strings (up to 1 MiB), `arrays` short arrays of numbers,
    `array_lengths` the length of every array. `file_size` is in bytes.
    """

    path: Path
    file_size: int
    version: int
    values: Mapping[str, Scalar]
    arrays: Mapping[str, tuple[Scalar, ...]]
    array_lengths: Mapping[str, int]
    tensor_count: int


def read_header(path: Path) -> Header:
    """Read and check the header. Raises ModelError naming what is wrong."""
    try:
        status = path.stat()
    except FileNotFoundError:
        raise ModelError(
            f"model file {path} does not exist", "check the path"
        ) from None
    except (OSError, ValueError) as err:
        raise ModelError(f"model file {path} cannot be read ({err})") from err
    if stat.S_ISDIR(status.st_mode):
        raise ModelError(f"{path} is a folder", "give the path of the .gguf file in it")
    if not stat.S_ISREG(status.st_mode):
        raise ModelError(f"{path} is not a regular file")
    if status.st_size == 0:
        raise ModelError(f"model file {path} is empty", "download it again")
    try:
        with path.open("rb") as file:
            return _HeaderReader(file, path, status.st_size).read()
    except OSError as err:
        raise ModelError(f"model file {path} cannot be read ({err})") from err


class _HeaderReader:
    """Reads the header front to back, in chunks, never beyond the file's size."""

    def __init__(self, file: BinaryIO, path: Path, size: int) -> None:
        self._file = file
        self._path = path
        self._size = size
        self._buffer = b""
        self._at = 0  # in the buffer
        self._start = 0  # of the buffer in the file
        self._values: dict[str, Scalar] = {}
        self._arrays: dict[str, tuple[Scalar, ...]] = {}
        self._lengths: dict[str, int] = {}

    def read(self) -> Header:
        magic = self._take(min(4, self._size))
        if magic != _MAGIC:
            raise ModelError(
                f"{self._path} is not a GGUF file (it starts with {magic!r})",
                "use a model in GGUF format",
            )
        version = self._u32()
        if version not in _VERSIONS:
            raise ModelError(
                f"{self._path} has GGUF version {version}, not 2 or 3",
                "convert the model again with a current llama.cpp",
            )
        tensor_count = self._u64()
        value_count = self._u64()
        # the smallest entries: 4 + 8 bytes of key and type, 8 + 4 + 4 + 8 of a tensor
        self._check_count(value_count, 12, "metadata values")
        for _ in range(value_count):
            self._value()
        self._check_count(tensor_count, 24, "tensors")
        self._tensors(tensor_count)
        return Header(
            path=self._path,
            file_size=self._size,
            version=version,
            values=MappingProxyType(self._values),
            arrays=MappingProxyType(self._arrays),
            array_lengths=MappingProxyType(self._lengths),
            tensor_count=tensor_count,
        )

    def _value(self) -> None:
        key = self._string(_MAX_KEY, "a metadata key")
        if not key or key in self._values or key in self._lengths:
            raise self._damaged(f"metadata key {key[:80]!r} is empty or there twice")
        kind = self._u32()
        if kind == _ARRAY:
            self._array(key)
        elif kind == _STRING:
            length = self._u64()
            if length > _MAX_KEPT_STRING:
                self._skip(length)
                self._lengths[key] = length
            else:
                self._values[key] = self._text(length)
        elif kind in _SCALARS:
            scalar = _SCALARS[kind]
            (self._values[key],) = scalar.unpack(self._take(scalar.size))
        else:
            raise self._damaged(f"metadata {key[:80]!r} has the unknown type {kind}")

    def _array(self, key: str) -> None:
        kind = self._u32()
        count = self._u64()
        self._lengths[key] = count
        if kind == _STRING:
            self._check_count(count, 8, f"strings in {key[:80]!r}")
            for _ in range(count):
                self._skip(self._u64())
        elif kind in _SCALARS:
            scalar = _SCALARS[kind]
            self._check_count(count, scalar.size, f"numbers in {key[:80]!r}")
            if count > _MAX_KEPT_ARRAY:
                self._skip(count * scalar.size)
            else:
                data = self._take(count * scalar.size)
                self._arrays[key] = tuple(item[0] for item in scalar.iter_unpack(data))
        else:
            raise self._damaged(f"array {key[:80]!r} has the unknown type {kind}")

    def _tensors(self, count: int) -> None:
        ends: list[tuple[str, int]] = []
        names = set()
        for _ in range(count):
            name = self._string(_MAX_TENSOR_NAME, "a tensor name")
            if name in names:
                raise self._damaged(f"tensor {name!r} is there twice")
            names.add(name)
            dimensions = self._u32()
            if dimensions > _MAX_DIMENSIONS:
                raise self._damaged(f"tensor {name!r} has {dimensions} dimensions")
            shape = [self._u64() for _ in range(dimensions)]
            kind = self._u32()
            offset = self._u64()
            ends.append((name, offset + self._tensor_bytes(name, shape, kind)))
        alignment = self._alignment()
        at = self._start + self._at
        data = at + -at % alignment
        for name, end in ends:
            if data + end > self._size:
                raise ModelError(
                    f"{self._path} is cut off: tensor {name!r} needs {data + end} "
                    f"bytes, the file has {self._size}",
                    "download it again",
                )

    def _tensor_bytes(self, name: str, shape: list[int], kind: int) -> int:
        elements = 1
        for length in shape:
            elements *= length
        if elements > 1 << 48:
            raise self._damaged(f"tensor {name!r} has the impossible shape {shape}")
        if kind not in _BLOCKS:
            return 0  # newer than this list: llama.cpp knows, or says that it does not
        block, size = _BLOCKS[kind]
        if shape and shape[0] % block:
            raise self._damaged(f"tensor {name!r} has rows of {shape[0]} elements")
        return elements // block * size

    def _alignment(self) -> int:
        alignment = self._values.get("general.alignment", _DEFAULT_ALIGNMENT)
        if (
            not isinstance(alignment, int)
            or not 0 < alignment <= 1 << 20
            or alignment & (alignment - 1)
        ):
            raise self._damaged(f"the alignment is {alignment!r}")
        return alignment

    def _check_count(self, count: int, least_bytes: int, what: str) -> None:
        left = self._size - self._start - self._at
        if count * least_bytes > left:
            raise self._damaged(f"it claims {count} {what} in {left} bytes")

    def _string(self, longest: int, what: str) -> str:
        length = self._u64()
        if length > longest:
            raise self._damaged(f"{what} has {length} bytes")
        return self._text(length)

    def _text(self, length: int) -> str:
        return self._take(length).decode(errors="replace")

    def _u32(self) -> int:
        value: int = _U32.unpack(self._take(4))[0]
        return value

    def _u64(self) -> int:
        at = self._at
        if at + 8 <= len(self._buffer):  # the hot path: string after string
            self._at = at + 8
            return int.from_bytes(self._buffer[at : at + 8], "little")
        return int.from_bytes(self._take(8), "little")

    def _take(self, count: int) -> bytes:
        end = self._at + count
        if end > len(self._buffer):
            self._check_left(count)
            rest = self._buffer[self._at :]
            self._start += self._at
            self._at = 0
            end = count
            self._buffer = rest + self._file.read(max(_CHUNK, count - len(rest)))
            if len(self._buffer) < count:
                raise self._cut_off()  # it shrank while it was read
        taken = self._buffer[self._at : end]
        self._at = end
        return taken

    def _skip(self, count: int) -> None:
        if self._at + count <= len(self._buffer):
            self._at += count
            return
        self._check_left(count)
        self._start += self._at + count
        self._buffer = b""
        self._at = 0
        self._file.seek(self._start)

    def _check_left(self, count: int) -> None:
        at = self._start + self._at
        if count > self._size - at:
            raise self._cut_off()
        if at + count > _MAX_HEADER:
            raise self._damaged("its header is larger than 1 GiB")

    def _cut_off(self) -> ModelError:
        return ModelError(
            f"{self._path} is cut off inside its header ({self._size} bytes)",
            "download it again",
        )

    def _damaged(self, reason: str) -> ModelError:
        return ModelError(f"{self._path} is damaged: {reason}", "download it again")
