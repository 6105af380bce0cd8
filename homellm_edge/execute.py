"""The seam to whatever really switches things: Home Assistant, or a simulated home."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from .home import Home
from .lookups import Records
from .queries import Query
from .services import ServiceCall


@dataclass(frozen=True, slots=True)
class CallResult:
    """What became of a call; `error` is a sentence for the user when it failed."""

    call: ServiceCall
    error: str = ""

    @property
    def ok(self) -> bool:
        """Whether the call was carried out."""
        return not self.error


class Executor(Protocol):
    """Where the agent reads the home and sends calls to."""

    def home(self) -> Home:
        """The exposed home as it is now."""
        ...

    async def execute(self, call: ServiceCall) -> CallResult:
        """Carry the call out; failures come back in the result, not as exceptions."""
        ...

    async def look_up(self, query: Query) -> Records:
        """What a list, calendar, forecast or timer holds; empty if it cannot tell."""
        ...
