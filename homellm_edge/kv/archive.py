"""Pieces of the KV cache in a store: a line, or a span of tokens of a longer text."""

from __future__ import annotations

import json
from array import array
from collections.abc import Generator, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from homellm_edge.kv.base import MAIN, Decoder, Memo
from homellm_edge.kv.state import is_sound
from homellm_edge.kv.store import Store, digest
from homellm_edge.prompt.blocks import Block

SPAN = 128
"""Tokens in a piece of a text; at most a sliding window, which cuts longer ones."""

_LAYOUT = digest(b"layout")
_LARGEST_LAYOUT = 4 << 20


class Archive:
    """Takes runs of tokens out of the cache into a store, and brings them back.

    `io` is an empty sequence that tokens can be decoded in.
    """

    def __init__(self, decoder: Decoder, store: Store, io: int) -> None:
        self._decoder = decoder
        self.store = store
        self._io = io
        self._sound: set[bytes] = set()  # of the stored ones, those known to be good

    def save(self, name: bytes, sequence: int, start: int, end: int) -> bool:
        """Write positions `[start, end)`, once; False if that cannot be."""
        if name in self._sound or self._read(name, start, end) is not None:
            return True
        try:
            state = self._decoder.take(sequence, start, end, self._io)
        except MemoryError:
            return False
        # what this engine writes in another form could not be checked when it is read
        if not is_sound(state, start, end - start) or not self.store.put(name, state):
            return False
        self._sound.add(name)
        return True

    def load(self, name: bytes, sequence: int, start: int, end: int) -> bool:
        """Bring positions `[start, end)` back into a sequence; False is a miss."""
        state = self._read(name, start, end)
        return state is not None and self._decoder.put(state, sequence, self._io)

    def _read(self, name: bytes, start: int, end: int) -> bytes | None:
        state = self.store.get(name) if self.store.has(name) else None
        if state is None or not is_sound(state, start, end - start):
            return None
        self._sound.add(name)
        return state

    def save_run(
        self, tokens: array[int], sequence: int = MAIN
    ) -> Generator[None, None, bool]:
        """Write a run from position 0 on, span by span; False when it had to end."""
        for start, end in _spans(tokens):
            if not self.save(_span_name(tokens, end), sequence, start, end):
                return False
            yield
        return True

    def is_plain(self, tokens: array[int]) -> bool:
        """Whether there is no control token among these."""
        decoder = self._decoder
        return not any(decoder.is_unspeakable(t) or decoder.is_end(t) for t in tokens)

    def load_run(self, tokens: array[int], sequence: int = MAIN) -> int:
        """Bring back as much of a run as there is; how many tokens that is."""
        for start, end in _spans(tokens):
            if not self.load(_span_name(tokens, end), sequence, start, end):
                return start
        return len(tokens)


@dataclass(frozen=True, slots=True)
class Restored:
    """The start of a text that is in the cache again, and the blocks in it."""

    blocks: tuple[Block, ...]
    tokens: array[int]


class PrefixArchive:
    """A snapshot of the home: its order, and its cells."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def save(
        self, header: str, blocks: Sequence[Block], tokens: array[int]
    ) -> Iterator[None]:
        """Write what is in the cache of a snapshot, piece by piece."""
        layout = {"header": header, "blocks": [asdict(block) for block in blocks]}
        content = json.dumps(layout, sort_keys=True).encode()
        store = self._archive.store
        if store.get(_LAYOUT) != content:
            store.put(_LAYOUT, content, replace=True)
        yield from self._archive.save_run(tokens)

    def restore(self, header: str, memo: Memo) -> Restored:
        """Bring back the start of a snapshot with this header.

        It ends before a block that writes control tokens: lines of a home do not.
        """
        blocks = self._layout(header)
        tokens = array("i", memo(header, True))
        ends = []
        for block in blocks:
            line = memo(block.text)
            if not self._archive.is_plain(line):
                break
            tokens += line
            ends.append(len(tokens))
        count = self._archive.load_run(tokens)
        whole = sum(end <= count for end in ends)
        return Restored(blocks[:whole], tokens[:count])

    def _layout(self, header: str) -> tuple[Block, ...]:
        content = self._archive.store.get(_LAYOUT)
        if content is None or len(content) > _LARGEST_LAYOUT:
            return ()
        try:
            layout: Any = json.loads(content)
            if layout["header"] != header:
                return ()
            blocks = tuple(Block(**data) for data in layout["blocks"])
        except (ValueError, TypeError, KeyError, RecursionError):
            return ()
        return blocks if all(map(_is_block, blocks)) else ()


def _is_block(block: Block) -> bool:
    texts = (block.key, block.text, block.group, block.gone)
    return all(isinstance(text, str) for text in texts) and isinstance(block.rank, int)


def _spans(tokens: array[int]) -> Iterator[tuple[int, int]]:
    for start in range(0, len(tokens), SPAN):
        yield start, min(start + SPAN, len(tokens))


def _span_name(tokens: array[int], end: int) -> bytes:
    return digest(b"span", tokens[:end].tobytes())
