"""Blocks of a prompt for tests, from bare texts."""

from __future__ import annotations

from homellm_edge.prompt.blocks import Block


def lines(*texts: str) -> tuple[Block, ...]:
    """A block of each text, with its first words as the key."""
    return tuple(
        Block(text.partition(" =")[0].strip(), text, gone=f"{text[:20]} gone\n")
        for text in texts
    )
