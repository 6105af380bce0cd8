"""Waits for Home Assistant, but not for ever, and puts its errors into words."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

import probatio
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from . import ha_calls

_LOGGER = logging.getLogger(__name__)

CALL_TIMEOUT = 10.0
"""Seconds until the person is told that a device has not answered."""


async def settled[T](
    hass: HomeAssistant, doing: Coroutine[Any, Any, T], what: str
) -> asyncio.Task[T] | None:
    """The finished task, which may have failed; None if it takes too long."""
    task = hass.async_create_task(doing, f"homellm_edge {what}")
    # A device that answers late is not stopped half way: its task goes on.
    done, _ = await asyncio.wait({task}, timeout=CALL_TIMEOUT)
    if done:
        return task
    task.add_done_callback(_log_late_failure)
    return None


def failure(task: asyncio.Task[Any] | None, who: str) -> str:
    """Why nothing came of a task from `settled`, as a sentence; "" if it did."""
    if task is None:
        return f"{who} did not answer within {CALL_TIMEOUT:.0f} seconds."
    if task.cancelled():
        return "The call was cancelled."
    return _sentence(task.exception())


def _sentence(error: BaseException | None) -> str:
    if error is None:
        return ""
    if told := ha_calls.known_failure(error):
        return told
    if ha_calls.is_inner_failure(error) or not isinstance(
        error, HomeAssistantError | probatio.Invalid | ValueError
    ):
        # An integration's own bug; its text means nothing to the person speaking.
        _LOGGER.error("Unexpected error in a service call", exc_info=error)
        return "Home Assistant reported an unexpected error."
    text = str(error).strip() or type(error).__name__
    return text if text[-1] in ".!?" else f"{text}."


def _log_late_failure(task: asyncio.Task[object]) -> None:
    if not task.cancelled() and (error := task.exception()):
        _LOGGER.warning("A late service call failed: %s", error)
