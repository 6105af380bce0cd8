"""The protocol between an agent and whatever runs the model, in process or remote."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Protocol

from homellm_edge.prompt.blocks import Prompt


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a token is chosen; `temperature` 0 is greedy. Ranges as in llama.cpp."""

    temperature: float = 0.0
    top_k: int = 40
    top_p: float = 1.0
    min_p: float = 0.0
    typical_p: float = 1.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Request:
    """One generation: the prompt, what the output may be, and when to end.

    `grammar` is GBNF text whose root must match the whole output, None for free text.
    """

    prompt: Prompt
    grammar: str | None = None
    max_tokens: int = 512
    stop: tuple[str, ...] = ()
    sampling: Sampling = field(default_factory=Sampling)


@dataclass(slots=True)
class Usage:
    """Counts of one generation, in tokens and milliseconds; filled in as it goes.

    `evaluated` prompt tokens decoded in this turn, `reused` prompt tokens found in the
    KV cache, `sampled` output tokens chosen by sampling, `forced` output tokens that
    the grammar left no choice for. `first_byte_ms` counts from the call of `generate`.
    `left_out` are the keys of blocks (entity ids) that had no room in the context,
    `turns_left_out` counts the earlier turns that had none.
    """

    evaluated: int = 0
    reused: int = 0
    sampled: int = 0
    forced: int = 0
    first_byte_ms: float = 0.0
    total_ms: float = 0.0
    left_out: tuple[str, ...] = ()
    turns_left_out: int = 0


class Backend(Protocol):
    """Something that continues a prompt. One instance serves one model."""

    @property
    def prompt_format(self) -> str:
        """Name of the dialect that the model speaks: `grounded` or `chatml`."""
        ...

    def generate(self, request: Request, usage: Usage) -> AsyncIterator[bytes]:
        """Yield the output's bytes as they arrive (never cut inside a character).

        Closing the iterator early cancels the generation. Raises EngineError,
        ContextFullError or TurnCancelledError.
        """
        ...

    async def refresh(self, prompt: Prompt) -> int:
        """Bring all but the question of `prompt` into the KV cache, ahead of one.

        Returns the number of tokens evaluated. Gives way to a waiting `generate`.
        """
        ...

    async def close(self) -> None:
        """Cancel what runs and free the model. Safe to call twice."""
        ...
