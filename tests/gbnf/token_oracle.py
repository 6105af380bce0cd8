"""Masks found without the engine's own short cuts: byte by byte, token by token."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from homellm_edge.grammar.automaton import DEAD, Automaton

BYTES = [bytes([value]) for value in range(256)]


def set_bits(mask: bytes) -> list[int]:
    assert len(mask) % 4 == 0
    return [
        32 * place + bit
        for place, (word,) in enumerate(struct.iter_unpack("=I", mask))
        for bit in range(32)
        if word >> bit & 1
    ]


def by_bytes(
    automaton: Automaton, pieces: Sequence[bytes], ends: Sequence[int], state: int
) -> list[int]:
    """The tokens that may follow, each found by stepping through its bytes."""
    found = []
    for token, piece in enumerate(pieces):
        target = state
        for byte in piece:
            target = automaton.step(target, byte)
        if token in ends:
            if automaton.accepting(state):
                found.append(token)
        elif piece and target != DEAD:
            found.append(token)
    return found
