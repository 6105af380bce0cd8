"""The block plan: each line sees the header and itself, the question sees everything.

A line's cells depend on the header and its own text alone. A changed state evaluates
its own line; a text seen before is put back without evaluation; order means nothing.
This is another function than the plain text, so it is for models that were trained with
it or that pass the gate (`homellm-edge gate`). The attention is defined in
`homellm_edge.prompt.blocks`.

Sequences: 0 is what the question sees; the next ones hold the header for ever and are
where new lines are decoded, side by side; one holds header and turns; one is for taking
states out and in; the others have a line each. Copying between sequences copies no
numbers: a cell only becomes a member of one more.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from homellm_edge._prompt_diff import diff
from homellm_edge.kv.archive import Archive
from homellm_edge.kv.base import (
    LAST_SEQUENCE,
    MAIN,
    NO_WORK,
    Decoder,
    Evaluated,
    Memo,
    TokenRun,
    check,
)
from homellm_edge.kv.memo import LineMemo
from homellm_edge.kv.store import digest
from homellm_edge.prompt.blocks import Block, Prompt, grouped

_OTHERS = 3
"""Sequences that can be decoded in, besides those for new lines."""

_SIDE_BY_SIDE = 16
"""Lines that are decoded together. Fewer waste the processor, more delay a question."""


def sequences() -> int:
    """Sequences that the context must be able to decode in."""
    return _SIDE_BY_SIDE + _OTHERS


@dataclass(frozen=True, slots=True)
class _Line:
    """A block that is in the cache: `sequence` has its cells, `length` of them."""

    block: Block
    sequence: int
    length: int


class BlockPlan:
    """Implements `base.Plan`.

    `states` is the memo of lines, `archive` keeps header and lines for the next start.
    """

    def __init__(
        self,
        decoder: Decoder,
        memo: Memo,
        *,
        states: LineMemo,
        archive: Archive | None = None,
    ) -> None:
        self._decoder = decoder
        self._memo = memo
        self._states = states
        self._archive = archive
        self._scratch = 1
        self._width = decoder.n_seq_max - _OTHERS
        self._turns_sequence = decoder.n_seq_max - 2
        self._io = decoder.n_seq_max - 1
        self._reset()

    def _reset(self) -> None:
        self._header = TokenRun(self._decoder)
        self._ready = False  # the header is whole, and where lines need it
        self._lines: list[_Line] = []
        self._free = list(range(LAST_SEQUENCE, self._io, -1))
        self._turns = TokenRun(self._decoder, self._turns_sequence)
        self._tail = TokenRun(self._decoder)
        self._assembled = False
        self._keys: frozenset[str] = frozenset()

    @property
    def most_blocks(self) -> int:
        """Blocks that have a sequence each; more of them are put together."""
        return LAST_SEQUENCE - self._io

    @property
    def cells(self) -> int:
        """Tokens that a question sees."""
        lines = sum(line.length for line in self._lines)
        turns, tail = len(self._turns.tokens), len(self._tail.tokens)
        return len(self._header.tokens) + lines + turns + tail

    @property
    def lines(self) -> tuple[str, ...]:
        """Texts of the blocks, those of a group in one."""
        return tuple(line.block.text for line in self._lines)

    @property
    def resident(self) -> frozenset[str]:
        """Keys of the last prompt."""
        return self._keys

    def refresh(self, prompt: Prompt, limit: int, *, urgent: bool = False) -> Evaluated:
        """Evaluate what has not been; see `base.Plan`."""
        cost = self._bring_header(prompt.header)
        blocks = [block for block in prompt.blocks if block.text]
        cost += self._bring_lines(grouped(blocks, self.most_blocks))
        cost += self._bring_turns(prompt)
        self._assemble()
        self._keys = frozenset(block.key for block in prompt.blocks)
        return cost

    def ask(self, tokens: array[int]) -> Evaluated:
        """Decode the question, which sees everything."""
        return self._tail.bring(tokens, want_logits=True)

    def extend(self, tokens: array[int]) -> None:
        """Decode tokens of the answer."""
        self._tail.append(tokens, want_logits=True)

    def settle(self) -> None:
        """Remove question and answer: as a turn they will see less."""
        self._tail.cut(0)

    def forget(self) -> None:
        """Empty the cache."""
        self._decoder.clear()
        self._states.clear()
        self._reset()

    def idle(self) -> float:
        """Nothing waits: every refresh is whole."""
        return NO_WORK

    def save(self) -> Iterator[None]:
        """Write header and lines, then lines that may come back, within bounds."""
        archive = self._archive
        if archive is None or not self._ready:
            return
        start = self._header.end
        if not (yield from archive.save_run(self._header.tokens)):
            return
        for line in self._lines:
            name = self._name(self._memo(line.block.text))
            if not archive.save(name, line.sequence, start, start + line.length):
                return
            yield
        for name, state in list(self._states.newest_first()):
            if not archive.store.put(name, state):
                return
            yield

    def _bring_header(self, text: str) -> Evaluated:
        tokens = self._memo(text, True)
        if self._ready and self._header.tokens == tokens:
            return Evaluated(0, len(tokens))
        if self._ready or self._header.tokens != tokens[: len(self._header.tokens)]:
            self._decoder.clear()
            self._reset()
        if self._archive is not None and not self._header.tokens:
            self._header.adopt(tokens[: self._archive.load_run(tokens)])
        cost = self._header.bring(tokens)
        end = len(tokens)
        for sequence in range(self._scratch, self._turns_sequence + 1):
            self._decoder.remove(sequence, -1, -1)
            self._decoder.copy(MAIN, sequence, 0, end)
        self._turns.start = self._tail.start = end
        self._ready = True
        return cost

    def _bring_lines(self, blocks: tuple[Block, ...]) -> Evaluated:
        old = self._lines
        found = diff(
            tuple(line.block.key for line in old),
            tuple(line.block.text for line in old),
            tuple(block.key for block in blocks),
            tuple(block.text for block in blocks),
        )
        stay = [*found.kept, *found.renamed]
        reused = sum(old[i].length for i, _ in stay)
        leave = [i for i, _ in found.changed] + found.removed
        come = [blocks[j] for j in (*(j for _, j in found.changed), *found.added)]
        if not leave and not come:
            return Evaluated(0, reused)
        self._disassemble()
        for i in leave:
            self._remember(old[i])
        self._lines = [
            _Line(blocks[j], old[i].sequence, old[i].length) for i, j in stay
        ]
        for i in leave:
            self._decoder.remove(old[i].sequence, -1, -1)
            self._free.append(old[i].sequence)
        stayed = len(self._lines)
        missing = [block for block in come if not self._recall(block)]
        reused += sum(line.length for line in self._lines[stayed:])
        evaluated = 0
        for start in range(0, len(missing), self._width):
            evaluated += self._decode(missing[start : start + self._width])
        return Evaluated(evaluated, reused)

    def _bring_turns(self, prompt: Prompt) -> Evaluated:
        wanted = self._memo.joined([text for turn in prompt.turns for text in turn])
        if wanted == self._turns.tokens:
            return Evaluated(0, len(wanted))
        self._disassemble()
        return self._turns.bring(wanted)

    def _decode(self, blocks: Sequence[Block]) -> int:
        """Evaluate some blocks side by side; all of them or none stay."""
        texts = [self._memo(block.text) for block in blocks]
        tokens = array("i")
        for text in texts:
            tokens += text
        start = self._header.end
        rc = self._decoder.prefill_side_by_side(
            tokens, array("i", map(len, texts)), start, self._scratch
        )
        check(rc, self._decoder)
        for offset, (block, text) in enumerate(zip(blocks, texts, strict=True)):
            line = _Line(block, self._free.pop(), len(text))
            self._decoder.copy(self._scratch + offset, line.sequence, start, -1)
            self._decoder.remove(self._scratch + offset, start, -1)
            self._lines.append(line)
        return len(tokens)

    def _remember(self, line: _Line) -> None:
        """Take a line that leaves into the memo."""
        name = self._name(self._memo(line.block.text))
        if name not in self._states and self._states.limit:
            with suppress(MemoryError):
                state = self._decoder.take(line.sequence, io=self._io)
                self._states.put(name, state)

    def _recall(self, block: Block) -> bool:
        """Put a line back that was there before; False if it must be evaluated."""
        text = self._memo(block.text)
        name, start, sequence = self._name(text), self._header.end, self._free[-1]
        state = self._states.get(name)
        if state is not None:
            there = self._decoder.put(state, sequence, self._io)
        else:
            there = self._archive is not None and self._archive.load(
                name, sequence, start, start + len(text)
            )
        if there:
            self._lines.append(_Line(block, self._free.pop(), len(text)))
        return there

    def _name(self, text: array[int]) -> bytes:
        return digest(b"line", self._header.tokens.tobytes(), text.tobytes())

    def _disassemble(self) -> None:
        """Take all but the header from the question's sequence."""
        if self._assembled:
            self._assembled = False
            self._decoder.remove(MAIN, self._header.end, -1)
            self._tail.lose()

    def _assemble(self) -> None:
        """Show all lines and turns to the question."""
        if self._assembled:
            return
        sources = array("i", [line.sequence for line in self._lines])
        if self._turns.tokens:
            sources.append(self._turns_sequence)
        start = self._header.end
        self._decoder.assemble(MAIN, start, sources)
        longest = max((line.length for line in self._lines), default=0)
        self._tail = TokenRun(
            self._decoder, MAIN, start + max(longest, len(self._turns.tokens))
        )
        self._assembled = True
