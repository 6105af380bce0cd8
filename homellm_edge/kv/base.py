"""What the parts of a session share: the decoder they need, a run of tokens, errors."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from homellm_edge._llama_decode import CANCELLED, common_prefix
from homellm_edge.errors import ContextFullError, EngineError, TurnCancelledError
from homellm_edge.prompt.blocks import Prompt

MAIN = 0
"""The sequence that the question and its answer are decoded in."""

LAST_SEQUENCE = 255
"""The highest sequence id of llama.cpp (LLAMA_MAX_SEQ - 1)."""

NO_WORK = float("inf")
"""What `Plan.idle` returns when it has nothing to do."""


class Decoder(Protocol):
    """The part of `_llama_decode.Decoder` that a session needs."""

    @property
    def n_ctx(self) -> int:
        """Cells of the context, in tokens."""
        ...

    @property
    def n_seq_max(self) -> int:
        """Sequences that tokens can be decoded in."""
        ...

    def prefill(
        self,
        tokens: array[int],
        position: int,
        sequence: int = 0,
        want_logits: bool = False,
    ) -> tuple[int, int]:
        """Decode tokens; returns how many are in the cache, and a return code."""
        ...

    def prefill_side_by_side(
        self, tokens: array[int], lengths: array[int], position: int, first: int
    ) -> int:
        """Decode several runs, each in a sequence of its own; a return code."""
        ...

    def assemble(self, target: int, start: int, sources: array[int]) -> None:
        """Make a sequence from `start` on of what others have there."""
        ...

    def copy(self, source: int, target: int, start: int = -1, end: int = -1) -> None:
        """Make positions of one sequence part of another as well."""
        ...

    def take(
        self, sequence: int, start: int = -1, end: int = -1, io: int = -1
    ) -> bytes:
        """The state of positions of a sequence."""
        ...

    def put(self, state: bytes, sequence: int, io: int = -1) -> bool:
        """Bring a state back; whether that succeeded."""
        ...

    def remove(self, sequence: int, start: int, end: int = -1) -> bool:
        """Remove positions from the cache; False where that is impossible."""
        ...

    def is_unspeakable(self, token: int) -> bool:
        """Whether it is a control token that does not end a generation."""
        ...

    def is_end(self, token: int) -> bool:
        """Whether the token ends a generation."""
        ...

    def last_position(self, sequence: int = 0) -> int:
        """The highest position in the cache, -1 when empty."""
        ...

    def clear(self) -> None:
        """Empty the cache."""
        ...


class Tokenizer(Protocol):
    """Turns a part of a prompt into tokens; `first`: it is the prompt's first part."""

    def __call__(self, text: str, first: bool) -> array[int]:
        """Return token ids as `array("i")`."""
        ...


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What something cost: tokens decoded, tokens found in the cache (or a memo)."""

    evaluated: int = 0
    reused: int = 0

    def __add__(self, other: Evaluated) -> Evaluated:
        return Evaluated(self.evaluated + other.evaluated, self.reused + other.reused)


class Plan(Protocol):
    """How the parts of a prompt lie in the KV cache, and what a change costs.

    A plan that raises is left consistent: what it believes to be in the cache is there.
    Prompts have been fitted to the context; a plan never leaves out a block.
    """

    @property
    def cells(self) -> int:
        """Tokens that a question can see now; each takes a cell of the context."""
        ...

    @property
    def lines(self) -> tuple[str, ...]:
        """Texts of the blocks that are in the cache, as they hold now."""
        ...

    @property
    def resident(self) -> frozenset[str]:
        """Keys of the blocks that are in the cache."""
        ...

    def refresh(self, prompt: Prompt, limit: int, *, urgent: bool = False) -> Evaluated:
        """Bring all but the question into the cache, in at most `limit` cells.

        `urgent`: somebody waits, so the least is done that gives a right answer.
        Raises TurnCancelledError, ContextFullError, EngineError; what was finished
        until then stays.
        """
        ...

    def ask(self, tokens: array[int]) -> Evaluated:
        """Decode a question's tokens behind the prompt just refreshed, with logits."""
        ...

    def extend(self, tokens: array[int]) -> None:
        """Decode tokens of the answer, with logits for the last one."""
        ...

    def settle(self) -> None:
        """After a turn: remove what the next one cannot use."""
        ...

    def forget(self) -> None:
        """Empty the cache."""
        ...

    def idle(self) -> float:
        """Do a little of what can wait; seconds until there is more, or NO_WORK."""
        ...

    def save(self) -> Iterator[None]:
        """Write what a restart can use, piece by piece.

        Not to be gone on with after any other call.
        """
        ...


class TokenRun:
    """Tokens that lie one after the other in a sequence, from position `start` on.

    A memory that cannot be cut (`cuttable` False: recurrent and hybrid models) goes
    back to the last `mark` and reads on from there.
    """

    def __init__(
        self,
        decoder: Decoder,
        sequence: int = MAIN,
        start: int = 0,
        *,
        cuttable: bool = True,
    ) -> None:
        self.tokens = array("i")
        self.start = start
        self.sequence = sequence
        self._decoder = decoder
        self._cuttable = cuttable
        self._mark: tuple[int, bytes] | None = None

    @property
    def end(self) -> int:
        """The position behind the last token."""
        return self.start + len(self.tokens)

    def bring(self, wanted: array[int], want_logits: bool = False) -> Evaluated:
        """Keep the longest common prefix with `wanted` and decode the rest.

        Raises TurnCancelledError, ContextFullError, EngineError; what was decoded until
        then stays.
        """
        kept = common_prefix(self.tokens, wanted)
        if want_logits and kept == len(wanted) and kept:
            kept -= 1  # logits come only from a token that is decoded now
        self.cut(kept)
        kept = len(self.tokens)
        self.append(wanted[kept:], want_logits)
        return Evaluated(len(wanted) - kept, kept)

    def append(self, tokens: array[int], want_logits: bool = False) -> None:
        """Decode tokens behind the others; raises as `bring` does."""
        done, rc = self._decoder.prefill(tokens, self.end, self.sequence, want_logits)
        self.tokens.extend(tokens[:done])
        if rc:
            self._recover()
        check(rc, self._decoder)

    def cut(self, length: int) -> None:
        """Keep at most the first `length` tokens."""
        if length >= len(self.tokens):
            return
        if self._cuttable and self._decoder.remove(
            self.sequence, self.start + length, -1
        ):
            del self.tokens[length:]
            return
        self._go_back(length)

    def mark(self) -> None:
        """Remember this place as one that `cut` can come back to."""
        if self._cuttable or (self._mark and self._mark[0] == len(self.tokens)):
            return
        if self.tokens:
            state = self._decoder.take(self.sequence)
            self._mark = (len(self.tokens), state)

    def adopt(self, tokens: array[int]) -> None:
        """Note tokens that came into the cache in another way."""
        self.tokens.extend(tokens)

    def lose(self) -> None:
        """Note that the sequence has been emptied."""
        self.tokens = array("i")
        self._mark = None

    def _go_back(self, length: int) -> None:
        mark = self._mark
        if (
            mark is not None
            and mark[0] <= length
            and self._decoder.put(mark[1], self.sequence)
        ):
            del self.tokens[mark[0] :]
            return
        self._decoder.remove(self.sequence, -1, -1)
        self.lose()

    def _recover(self) -> None:
        # A cancelled or failed decode removes its own tokens; where the memory could
        # not do that, it holds more than is known.
        if self._decoder.last_position(self.sequence) == self.end - 1:
            return
        self._go_back(len(self.tokens))


class Memo:
    """Token ids of texts read before, those used last."""

    def __init__(self, tokenize: Tokenizer, most: int = 8192) -> None:
        self._tokenize = tokenize
        self._most = most
        self._known: dict[tuple[str, bool], array[int]] = {}

    def __call__(self, text: str, first: bool = False) -> array[int]:
        """The tokens of a text; the array belongs to the memo."""
        if not text and not first:  # at the start even nothing can have a token (BOS)
            return array("i")
        key = (text, first)
        tokens = self._known.pop(key, None)
        if tokens is None:
            tokens = self._tokenize(text, first)
            if len(self._known) >= self._most:
                self._known.pop(next(iter(self._known)))
        self._known[key] = tokens  # the last in order now
        return tokens

    def joined(self, texts: Sequence[str]) -> array[int]:
        """The tokens of texts that stand one after the other inside a prompt."""
        tokens = array("i")
        for text in texts:
            tokens.extend(self(text))
        return tokens


def check(rc: int, decoder: Decoder) -> None:
    """Raise what a return code of llama.cpp's decode means; 0 is fine."""
    if rc == 0:
        return
    if rc == CANCELLED:
        raise TurnCancelledError("the turn was cancelled")
    if rc == 1:
        raise ContextFullError(
            f"the context of {decoder.n_ctx} tokens is full",
            "expose fewer devices or enlarge the context",
        )
    raise EngineError(f"llama.cpp could not decode the prompt (code {rc})")
