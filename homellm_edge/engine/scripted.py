"""A backend that says what a test tells it to, in small chunks, like a model would."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence

from homellm_edge.engine.base import Request, Usage
from homellm_edge.errors import EngineError, TurnCancelledError
from homellm_edge.prompt.blocks import Prompt

Output = bytes | str


class ScriptedEngine:
    """Implements `engine.base.Backend` without a model.

    `outputs` is a function from request to output, or the outputs of the coming
    requests in order; running out of them raises EngineError. An output that is an
    exception is raised. `chunk_size` counts characters. What was asked is recorded in
    `requests` and `refreshed`.
    """

    def __init__(
        self,
        outputs: Callable[[Request], Output | BaseException]
        | Sequence[Output | BaseException],
        *,
        prompt_format: str = "chatml",
        chunk_size: int = 3,
        delay: float = 0.0,
    ) -> None:
        if chunk_size < 1:
            raise ValueError("chunk_size must be at least 1")
        self._outputs = outputs
        self._prompt_format = prompt_format
        self._chunk_size = chunk_size
        self._delay = delay
        self._served = 0
        self._resident: Prompt | None = None
        self.requests: list[Request] = []
        self.refreshed: list[Prompt] = []
        self.closed = False

    @property
    def prompt_format(self) -> str:
        """The dialect given at construction."""
        return self._prompt_format

    async def generate(self, request: Request, usage: Usage) -> AsyncIterator[bytes]:
        """Yield the scripted output; words count as tokens in `usage`."""
        started = time.perf_counter()
        self._check_open()
        self.requests.append(request)
        text = self._next_output(request)
        usage.evaluated += self._words(request.prompt) + len(
            request.prompt.question.split()
        )
        for at in range(0, len(text), self._chunk_size):
            await asyncio.sleep(self._delay)
            self._check_open()
            usage.sampled += 1
            if at == 0:
                usage.first_byte_ms = (time.perf_counter() - started) * 1000
            yield text[at : at + self._chunk_size].encode()
        usage.total_ms = (time.perf_counter() - started) * 1000

    async def refresh(self, prompt: Prompt) -> int:
        """Record the prompt; returns its words, 0 when nothing changed."""
        self._check_open()
        self.refreshed.append(prompt)
        return self._words(prompt)

    async def close(self) -> None:
        """End every generation that runs with TurnCancelledError."""
        self.closed = True

    def _words(self, prompt: Prompt) -> int:
        before = self._resident
        self._resident = prompt
        if before and (before.header, before.blocks) == (prompt.header, prompt.blocks):
            return 0
        texts = (prompt.header, *(block.text for block in prompt.blocks))
        return sum(len(text.split()) for text in texts)

    def _next_output(self, request: Request) -> str:
        if callable(self._outputs):
            output = self._outputs(request)
        elif self._served < len(self._outputs):
            output = self._outputs[self._served]
        else:
            raise EngineError("the scripted engine has no output left")
        self._served += 1
        if isinstance(output, BaseException):
            raise output
        return output.decode() if isinstance(output, bytes) else output

    def _check_open(self) -> None:
        if self.closed:
            raise TurnCancelledError("the engine is closed")
