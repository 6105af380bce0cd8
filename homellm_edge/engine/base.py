"""The protocol between an agent and whatever runs the model, in process or remote."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt as a sequence of blocks, so that a session can reuse what is unchanged.

    The text that the model reads is `header + "".join(blocks) + question`. Header and
    blocks stay in the KV cache between turns; the question is removed after the turn.
    """

    header: str
    blocks: tuple[str, ...] = ()
    question: str = ""


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
    """

    evaluated: int = 0
    reused: int = 0
    sampled: int = 0
    forced: int = 0
    first_byte_ms: float = 0.0
    total_ms: float = 0.0


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
        """Bring header and blocks of `prompt` into the KV cache ahead of a question.

        Returns the number of tokens evaluated. Gives way to a waiting `generate`.
        """
        ...

    async def close(self) -> None:
        """Cancel what runs and free the model. Safe to call twice."""
        ...
