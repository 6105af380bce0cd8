"""A session: which tokens of the prompt are in the KV cache, kept exact over all edits.

This is the *prefix* plan: sequence 0 holds the tokens of the last prompt; a new prompt
keeps the longest common prefix and decodes the rest. Exact for every causal model.
Recurrent and hybrid models cannot cut a sequence in the middle; unless a prompt only
appends to what is there, they are cleared and read it from the start.
"""

from __future__ import annotations

from array import array
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from homellm_edge._llama_decode import CANCELLED, common_prefix
from homellm_edge.errors import ContextFullError, EngineError, TurnCancelledError

_SEQUENCE = 0
_MEMO_ENTRIES = 4096


class Prompt(Protocol):
    """The text of a turn in parts; `engine.base.Prompt` is one."""

    @property
    def header(self) -> str:
        """What stands first and hardly ever changes."""
        ...

    @property
    def blocks(self) -> tuple[str, ...]:
        """What changes part by part."""
        ...

    @property
    def question(self) -> str:
        """What is asked; gone after the turn."""
        ...


class Tokens(Protocol):
    """The part of a decoder that a session needs; see `_llama_decode.Decoder`."""

    @property
    def n_ctx(self) -> int:
        """Cells of the context, in tokens."""
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

    def remove(self, sequence: int, start: int, end: int = -1) -> bool:
        """Remove positions from the cache; False where that is impossible."""
        ...

    def last_position(self, sequence: int = 0) -> int:
        """The highest position in the cache, -1 when empty."""
        ...

    def clear(self) -> None:
        """Empty the cache."""
        ...


class Tokenizer(Protocol):
    """Turns a block of text into tokens; `first` is true at the start of a prompt."""

    def __call__(self, text: str, first: bool) -> array[int]:
        """Return token ids as `array("i")`."""
        ...


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What a prompt cost: tokens decoded, tokens found in the cache."""

    evaluated: int
    reused: int


class Session:
    """The prefix plan over one decoder. Not thread-safe; see the module's docstring."""

    def __init__(self, decoder: Tokens, tokenize: Tokenizer) -> None:
        self._decoder = decoder
        self._tokenize = tokenize
        self._memo: OrderedDict[tuple[str, bool], array[int]] = OrderedDict()
        self._resident = array("i")

    @property
    def length(self) -> int:
        """Tokens in the cache; the position of the next one."""
        return len(self._resident)

    def size(self, prompt: Prompt) -> int:
        """Tokens of the whole prompt."""
        tokens = self._tokens_of(prompt)
        return len(tokens) + len(self._tokens(prompt.question, first=not tokens))

    def refresh(self, prompt: Prompt) -> Evaluated:
        """Bring header and blocks of `prompt` into the cache.

        Raises TurnCancelledError when the decoder was cancelled: what was evaluated so
        far stays, and the next call goes on from there.
        """
        wanted = self._tokens_of(prompt)
        self._check_room(len(wanted))
        return self._bring(wanted, want_logits=False)

    def ask(self, prompt: Prompt, forced: Sequence[int] = ()) -> Evaluated:
        """Bring the whole prompt into the cache and have the logits of its last token.

        `forced` are tokens of the answer that are known already: they are decoded with
        the prompt, and counted neither as evaluated nor as reused. Raises
        ContextFullError, EngineError for an empty prompt, TurnCancelledError.
        """
        wanted = self._tokens_of(prompt)
        wanted.extend(self._tokens(prompt.question, first=not wanted))
        if not wanted:
            raise EngineError("the prompt is empty")
        size = len(wanted)
        self._check_room(size + len(forced) + 1)
        wanted.extend(forced)
        reused = min(self._bring(wanted, want_logits=True).reused, size)
        return Evaluated(size - reused, reused)

    def extend(self, tokens: array[int]) -> None:
        """Decode more tokens, in one batch, and have the logits of the last one."""
        done, rc = self._decoder.prefill(
            tokens, len(self._resident), _SEQUENCE, want_logits=True
        )
        self._resident.extend(tokens[:done])
        if rc:
            self._recover()
        self._check(rc)

    def settle(self, prompt: Prompt) -> None:
        """After a turn: remove everything behind header and blocks of `prompt`.

        A memory that cannot be cut keeps it; the next prompt finds out.
        """
        kept = common_prefix(self._resident, self._tokens_of(prompt))
        if kept < len(self._resident) and self._decoder.remove(_SEQUENCE, kept):
            del self._resident[kept:]

    def forget(self) -> None:
        """Empty the cache."""
        self._decoder.clear()
        self._resident = array("i")

    def _bring(self, wanted: array[int], want_logits: bool) -> Evaluated:
        kept = common_prefix(self._resident, wanted)
        if want_logits and kept == len(wanted):
            kept -= 1  # logits come only from a token that is decoded now
        if kept < len(self._resident):
            if self._decoder.remove(_SEQUENCE, kept):
                del self._resident[kept:]
            else:
                self.forget()
                kept = 0
        done, rc = self._decoder.prefill(wanted[kept:], kept, _SEQUENCE, want_logits)
        self._resident.extend(wanted[kept : kept + done])
        if rc:
            self._recover()
        self._check(rc)
        return Evaluated(evaluated=done, reused=kept)

    def _recover(self) -> None:
        # A cancelled or failed decode removes its own tokens; where the memory could
        # not do that, nothing in it can be trusted.
        if self._decoder.last_position(_SEQUENCE) != len(self._resident) - 1:
            self.forget()

    def _check(self, rc: int) -> None:
        if rc == 0:
            return
        if rc == CANCELLED:
            raise TurnCancelledError("the turn was cancelled")
        if rc == 1:
            raise self._full(len(self._resident) + 1)
        raise EngineError(f"llama.cpp could not decode the prompt (code {rc})")

    def _check_room(self, needed: int) -> None:
        if needed > self._decoder.n_ctx:
            raise self._full(needed)

    def _full(self, needed: int) -> ContextFullError:
        return ContextFullError(
            f"the prompt needs {needed} tokens, the context has {self._decoder.n_ctx}",
            "expose fewer devices or enlarge the context",
        )

    def _tokens_of(self, prompt: Prompt) -> array[int]:
        tokens = array("i")
        for text in (prompt.header, *prompt.blocks):
            tokens.extend(self._tokens(text, first=not tokens))
        return tokens

    def _tokens(self, text: str, first: bool) -> array[int]:
        if not text:
            return array("i")
        key = (text, first)
        tokens = self._memo.get(key)
        if tokens is None:
            tokens = self._memo[key] = self._tokenize(text, first)
            if len(self._memo) > _MEMO_ENTRIES:
                self._memo.popitem(last=False)
        else:
            self._memo.move_to_end(key)
        return tokens
