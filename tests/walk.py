"""Random texts of a grammar, by walking through its automaton."""

from __future__ import annotations

import random

from homellm_edge.grammar.automaton import DEAD, Automaton


def walk(
    automaton: Automaton,
    rng: random.Random,
    start: str = "",
    *,
    alphabet: bytes,
    prefer: bytes = b"",
    longest: int = 400,
) -> str:
    """A text that begins with `start`; it matches unless it became too long."""
    data = bytearray(start.encode())
    state = automaton.feed(automaton.start, bytes(data))
    while state != DEAD and len(data) < longest:
        following = {
            byte: target
            for byte in alphabet
            if (target := automaton.step(state, byte)) != DEAD
        }
        if not following or (automaton.accepting(state) and rng.random() < 0.2):
            break
        liked = [byte for byte in prefer if byte in following]
        byte = rng.choice(liked if liked and rng.random() < 0.3 else list(following))
        state = following[byte]
        data.append(byte)
    return data.decode(errors="ignore")
