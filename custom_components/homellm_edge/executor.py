"""Carries checked calls out through Home Assistant's services."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import probatio
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from homellm_edge.execute import CallResult
from homellm_edge.home import Home
from homellm_edge.services import ServiceCall

from . import ha_api
from .home_source import HomeSource

_LOGGER = logging.getLogger(__name__)

_REQUEST: ContextVar[Context | None] = ContextVar("homellm_edge_request", default=None)
"""On whose behalf the running turn acts. One agent serves many people at a time."""

CALL_TIMEOUT = 10.0
"""Seconds until the person is told that a device has not answered."""


@contextmanager
def acting_for(context: Context) -> Iterator[None]:
    """Give the calls of the turn inside this block the request's context."""
    token = _REQUEST.set(context)
    try:
        yield
    finally:
        _REQUEST.reset(token)


class HassExecutor:
    """The `homellm_edge.execute.Executor` of a real home."""

    def __init__(self, hass: HomeAssistant, source: HomeSource) -> None:
        self._hass = hass
        self._source = source

    def home(self) -> Home:
        """The exposed home as it is now."""
        return self._source.home()

    async def execute(self, call: ServiceCall) -> CallResult:
        """Call the service and wait for it; never raises, the result tells."""
        error = self._refusal(call) or await self._call(call)
        if error:
            _LOGGER.debug("%s of %s failed: %s", call.service, call.targets, error)
        ha_api.trace_tool_call(
            call.service, {"entity_id": list(call.targets), **call.data}, error
        )
        return CallResult(call, error)

    def _refusal(self, call: ServiceCall) -> str:
        for target in call.targets:
            if not ha_api.is_exposed(self._hass, target):
                return f"{self._name(target)} is not exposed to voice assistants."
        return ""

    async def _call(self, call: ServiceCall) -> str:
        domain, _, service = call.service.partition(".")
        task = self._hass.async_create_task(
            self._hass.services.async_call(
                domain,
                service,
                {"entity_id": list(call.targets), **call.data},
                blocking=True,
                context=_REQUEST.get(),
            ),
            f"homellm_edge {call.service}",
        )
        # A device that answers late is not stopped half way: its task goes on.
        done, _ = await asyncio.wait({task}, timeout=CALL_TIMEOUT)
        if not done:
            task.add_done_callback(_log_late_failure)
            names = " and ".join(self._name(target) for target in call.targets)
            return f"{names} did not answer within {CALL_TIMEOUT:.0f} seconds."
        if task.cancelled():
            return "The call was cancelled."
        return _sentence(task.exception())

    def _name(self, entity_id: str) -> str:
        state = self._hass.states.get(entity_id)
        return state.name if state else entity_id


def _sentence(error: BaseException | None) -> str:
    if error is None:
        return ""
    if not isinstance(error, HomeAssistantError | probatio.Invalid | ValueError):
        # An integration's own bug; its text means nothing to the person speaking.
        _LOGGER.error("Unexpected error in a service call", exc_info=error)
        return "Home Assistant reported an unexpected error."
    text = str(error).strip() or type(error).__name__
    return text if text[-1] in ".!?" else f"{text}."


def _log_late_failure(task: asyncio.Task[object]) -> None:
    if not task.cancelled() and (error := task.exception()):
        _LOGGER.warning("A late service call failed: %s", error)
