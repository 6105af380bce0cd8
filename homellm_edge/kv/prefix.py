"""The plan without a plan: one text in the home's order, longest common prefix reused.

What llama-cpp-python does. Exact for every model, and dear: whatever stands behind the
first changed line is read again.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator

from homellm_edge.kv.base import NO_WORK, Decoder, Evaluated, Memo, TokenRun
from homellm_edge.prompt.blocks import Block, Prompt


class PrefixPlan:
    """Implements `base.Plan`."""

    def __init__(self, decoder: Decoder, memo: Memo, *, cuttable: bool = True) -> None:
        self._decoder = decoder
        self._memo = memo
        self._cuttable = cuttable
        self._run = TokenRun(decoder, cuttable=cuttable)
        self._base = array("i")
        self._blocks: tuple[Block, ...] = ()

    @property
    def cells(self) -> int:
        """Tokens in the cache."""
        return len(self._run.tokens)

    @property
    def lines(self) -> tuple[str, ...]:
        """Texts of the last prompt."""
        return tuple(block.text for block in self._blocks)

    @property
    def resident(self) -> frozenset[str]:
        """Keys of the last prompt."""
        return frozenset(block.key for block in self._blocks)

    def refresh(self, prompt: Prompt, limit: int, *, urgent: bool = False) -> Evaluated:
        """Bring header, blocks and turns into the cache."""
        self._blocks = prompt.blocks
        self._base = array("i", self._memo(prompt.header, True))
        self._base += self._memo.joined([block.text for block in prompt.blocks])
        self._base += self._memo.joined(
            [text for turn in prompt.turns for text in turn]
        )
        cost = self._run.bring(self._base)
        self._run.mark()
        return cost

    def ask(self, tokens: array[int]) -> Evaluated:
        """Decode the question; a start that it shares with the last one is reused."""
        cost = self._run.bring(self._base + tokens, want_logits=True)
        return Evaluated(cost.evaluated, cost.reused - len(self._base))

    def extend(self, tokens: array[int]) -> None:
        """Decode tokens of the answer."""
        self._run.append(tokens, want_logits=True)

    def settle(self) -> None:
        """Keep everything: the next turn may begin with this one."""

    def forget(self) -> None:
        """Empty the cache."""
        self._decoder.clear()
        self._run = TokenRun(self._decoder, cuttable=self._cuttable)
        self._base, self._blocks = array("i"), ()

    def idle(self) -> float:
        """There is nothing that can wait."""
        return NO_WORK

    def save(self) -> Iterator[None]:
        """There is nothing to save."""
        yield from ()
