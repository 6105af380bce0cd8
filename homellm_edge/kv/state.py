"""Reads the form of a saved piece of KV cache, so that only sound ones reach llama.cpp.

llama.cpp checks types and sizes of the numbers, but believes the table of cells before
them. A checksum tells damage, not intent: a file that somebody made must not be able to
end this process. Layout: `llama_kv_cache::state_write` of the engine this is built for;
what is different there (M-RoPE, latent attention) is not recognised, and so not used.
"""

from __future__ import annotations

import struct

_HEAD = struct.Struct("=Ii")  # magic, sequence
_MAGIC = 0xAF143CD8
_CELL = struct.Struct("=iIi")  # position, sequences, sequence
_PAIR = struct.Struct("=II")
_KEYS = struct.Struct("=iQ")  # type, bytes of a row
_COLUMNS = struct.Struct("=iII")  # type, bytes of an element, rows
_MOST_LAYERS = 1024
_MOST_BYTES = 1 << 24  # of a row, or of a column for one token


def is_sound(state: bytes, start: int, length: int) -> bool:
    """Whether `state` is that of `length` tokens at the positions from `start` on.

    One cache, or the two of a model with a sliding window.
    """
    try:
        magic, _ = _HEAD.unpack_from(state, 0)
        if magic != _MAGIC or length < 1:
            return False
        at = _HEAD.size
        for _ in range(2):
            at = _cache_end(state, at, start, length)
            if at == len(state):
                return True
    except (struct.error, _UnknownFormError):
        pass
    return False


class _UnknownFormError(Exception):
    """Not the form that this module knows."""


def _cache_end(state: bytes, at: int, start: int, length: int) -> int:
    """Where the part of one cache that begins at `at` ends."""
    if _PAIR.unpack_from(state, at) != (1, length):  # streams, cells
        raise _UnknownFormError
    at = _cells_end(state, at + _PAIR.size, start, length)
    turned, layers = _PAIR.unpack_from(state, at)
    if turned not in (0, 1) or not 0 < layers <= _MOST_LAYERS:
        raise _UnknownFormError
    at += _PAIR.size
    for _ in range(layers):
        at = _rows_end(state, at, length)
    for _ in range(layers):
        at = (_columns_end if turned else _rows_end)(state, at, length)
    if at > len(state):
        raise _UnknownFormError
    return at


def _cells_end(state: bytes, at: int, start: int, length: int) -> int:
    end = at + length * _CELL.size
    if end > len(state):
        raise _UnknownFormError
    missing = set(range(start, start + length))
    for position, sequences, _ in _CELL.iter_unpack(memoryview(state)[at:end]):
        if sequences != 1 or position not in missing:
            raise _UnknownFormError
        missing.remove(position)
    return end


def _rows_end(state: bytes, at: int, length: int) -> int:
    _, size = _KEYS.unpack_from(state, at)
    if not 0 < size <= _MOST_BYTES:
        raise _UnknownFormError
    return int(at + _KEYS.size + size * length)


def _columns_end(state: bytes, at: int, length: int) -> int:
    _, element, rows = _COLUMNS.unpack_from(state, at)
    if not 0 < element * rows <= _MOST_BYTES:
        raise _UnknownFormError
    return int(at + _COLUMNS.size + element * rows * length)
