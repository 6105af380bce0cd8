"""Names and small functions that the component tests share."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from homeassistant.components.conversation import ConversationResult
from pytest_homeassistant_custom_component.common import MockConfigEntry

DOMAIN = "homellm_edge"
AGENT = "conversation.homellm_edge"

type SetUp = Callable[..., Awaitable[MockConfigEntry]]
type Ask = Callable[..., Awaitable[ConversationResult]]


def said(result: ConversationResult) -> str:
    """What the agent said."""
    return result.response.speech["plain"]["speech"]


def command(speech: str, *calls: dict[str, Any]) -> str:
    """A model's output in the home language: speech, then a block of calls."""
    lines = "".join(f"{json.dumps(call)}\n" for call in calls)
    return f"{speech}\n```homeassistant\n{lines}```"
