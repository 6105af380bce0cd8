"""A session: what a model has read of the home, kept current and asked questions.

It fits prompts into the context, leaves what lies where to a plan, and is the only
one that a decode loop talks to. Not thread-safe: one thread owns decoder and session.
"""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from homellm_edge.errors import EngineError
from homellm_edge.kv.base import Decoder, Evaluated, Memo, Plan
from homellm_edge.prompt.blocks import Prompt
from homellm_edge.prompt.fitting import LEAST_ANSWER, Fitted, fit, reserve

SAVE_FIRST, SAVE_EVERY = 120.0, 6 * 3600.0
"""Seconds until what is in the cache is written, and between two times of that."""

_NOTHING = Evaluated()
_DONE = object()


@dataclass(frozen=True, slots=True)
class Cut:
    """What did not fit into the context: keys of blocks, and a number of turns."""

    blocks: tuple[str, ...] = ()
    turns: int = 0


class Session:
    """One conversation partner of a decode loop; see the module's docstring."""

    def __init__(
        self,
        decoder: Decoder,
        memo: Memo,
        plan: Plan,
        *,
        slack: float = 0.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._decoder = decoder
        self._memo = memo
        self._plan = plan
        self._slack = slack
        self._now = now
        self._saving: Iterator[None] | None = None
        self._save_at = now() + SAVE_FIRST
        self._cost = _NOTHING
        self._question = array("i")
        self.cut = Cut()

    @property
    def plan(self) -> Plan:
        """The plan that the session follows."""
        return self._plan

    @property
    def length(self) -> int:
        """Tokens in the cache that the next one will see."""
        return self._plan.cells

    def refresh(self, prompt: Prompt) -> Evaluated:
        """Bring header, blocks and turns of `prompt` into the cache.

        Raises TurnCancelledError when the decoder was cancelled: what was finished so
        far stays, and the next call goes on from there. Raises ContextFullError,
        EngineError.
        """
        self._saving = None
        fitted = self._fit(prompt, 0)
        # as much as a question of usual length leaves, so that it finds all in place
        limit = self._decoder.n_ctx - reserve(self._decoder.n_ctx) // 2
        return self._plan.refresh(fitted.prompt, limit)

    def prepare(self, prompt: Prompt) -> int:
        """Bring all but the question in; how many tokens of answer there is room for.

        Raises as `refresh` does, and EngineError for an empty prompt.
        """
        self._saving = None
        self._question = self._memo(prompt.question)
        fitted = self._fit(prompt, len(self._question))
        limit = self._decoder.n_ctx - len(self._question) - LEAST_ANSWER
        self._cost = self._plan.refresh(fitted.prompt, limit, urgent=True)
        if not self._question:
            raise EngineError("the question is empty")
        return self._decoder.n_ctx - self._plan.cells - len(self._question)

    def ask(self, forced: Sequence[int] = ()) -> Evaluated:
        """Decode the question of the prompt prepared, and have the logits of its end.

        `forced` are tokens of the answer that are known already: they are decoded with
        it, and counted neither as evaluated nor as reused. Returns what the whole
        prompt cost since `prepare`.
        """
        tokens = array("i", self._question)
        tokens.extend(forced)
        cost = self._plan.ask(tokens)
        reused = min(cost.reused, len(self._question))
        asked = Evaluated(len(self._question) - reused, reused)
        self._cost, cost = _NOTHING, self._cost
        return cost + asked

    def extend(self, tokens: array[int]) -> None:
        """Decode more tokens, in one batch, and have the logits of the last one."""
        self._plan.extend(tokens)

    def settle(self) -> None:
        """After a turn: remove what the next one cannot use."""
        self._plan.settle()

    def forget(self) -> None:
        """Empty the cache."""
        self._saving = None
        self._plan.forget()

    def idle(self) -> float:
        """Do a little of what can wait; seconds until there is more (or infinity)."""
        if self._saving is not None:
            if next(self._saving, _DONE) is _DONE:
                self._saving = None
                self._save_at = self._now() + SAVE_EVERY
            return 0.0
        wait = self._plan.idle()
        left = self._save_at - self._now()
        if wait > 0 and left <= 0:
            self._saving = self._plan.save()
            return 0.0
        return min(wait, left)

    def save(self) -> None:
        """Write what a restart can use, at once."""
        self._saving = None
        for _ in self._plan.save():
            pass

    def _fit(self, prompt: Prompt, question: int) -> Fitted:
        fitted = fit(
            prompt,
            self._decoder.n_ctx,
            lambda text: len(self._memo(text)),
            header=len(self._memo(prompt.header, True)),
            question=question,
            present=self._plan.resident,
            slack=self._slack,
        )
        self.cut = Cut(fitted.left_out, fitted.turns_left_out)
        return fitted
