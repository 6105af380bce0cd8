"""Names and small functions that the component tests share."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from homeassistant.components.conversation import ConversationResult
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

DOMAIN = "homellm_edge"
AGENT = "conversation.homellm_edge"

type SetUp = Callable[..., Awaitable[MockConfigEntry]]
type Shopping = Callable[[], list[tuple[str, bool]]]
type Ask = Callable[..., Awaitable[ConversationResult]]


def said(result: ConversationResult) -> str:
    """What the agent said."""
    return result.response.speech["plain"]["speech"]


def command(speech: str, *calls: dict[str, Any]) -> str:
    """A model's output in the home language: speech, then a block of calls."""
    lines = "".join(f"{json.dumps(call)}\n" for call in calls)
    return f"{speech}\n```homeassistant\n{lines}```"


async def refreshed(hass: HomeAssistant) -> None:
    """Let the time pass after which the prompt is prepared, and wait for that."""
    async_fire_time_changed(hass, fire_all=True)
    await hass.async_block_till_done(wait_background_tasks=True)
