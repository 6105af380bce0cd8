"""On whose behalf, and through which device, the running turn acts."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from homeassistant.core import Context


@dataclass(frozen=True, slots=True)
class Request:
    """Who asked, where and in which language.

    `device_id` is the device that heard the sentence: its timers are meant.
    """

    context: Context | None = None
    language: str | None = None
    device_id: str | None = None
    satellite_id: str | None = None
    agent_id: str | None = None


_REQUEST: ContextVar[Request] = ContextVar(
    "homellm_edge_request",
    default=Request(),  # noqa: B039  (frozen)
)
"""One agent serves many people at a time."""


@contextmanager
def acting_for(request: Request) -> Iterator[None]:
    """Give the calls and look-ups of the turn inside this block its request."""
    token = _REQUEST.set(request)
    try:
        yield
    finally:
        _REQUEST.reset(token)


def current_request() -> Request:
    """The request of the running turn."""
    return _REQUEST.get()
