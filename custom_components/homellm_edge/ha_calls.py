"""Services and intents of Home Assistant, called on behalf of a request.

Like `ha_api` one of the two modules to adapt when Home Assistant changes.
"""

from collections.abc import Mapping
from typing import Any

from homeassistant.components.conversation import DOMAIN as ASSISTANT
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import intent

from .const import DOMAIN
from .request import Request

SEVERAL_TIMERS = "Several timers match; say which one by its name or length."


async def call_service(
    hass: HomeAssistant, service: str, data: Mapping[str, Any], request: Request
) -> None:
    """Call a service and wait until it is done."""
    domain, _, verb = service.partition(".")
    await hass.services.async_call(
        domain, verb, dict(data), blocking=True, context=request.context
    )


async def ask_service(
    hass: HomeAssistant,
    service: str,
    entity_id: str,
    data: Mapping[str, Any],
    request: Request,
) -> Any:
    """What a service answers for one entity; None if it says nothing."""
    domain, _, verb = service.partition(".")
    answer = await hass.services.async_call(
        domain,
        verb,
        {"entity_id": entity_id, **data},
        blocking=True,
        context=request.context,
        return_response=True,
    )
    return answer.get(entity_id) if answer else None


def media_found(answer: Any) -> list[tuple[str, str]]:
    """Content id and content type of each hit of `media_player.search_media`."""
    return [
        (hit.media_content_id, hit.media_content_type)
        for hit in getattr(answer, "result", None) or ()
    ]


@callback
def has_intent(hass: HomeAssistant, intent_type: str) -> bool:
    """Whether some integration handles the intent."""
    return any(known.intent_type == intent_type for known in intent.async_get(hass))


async def handle_intent(
    hass: HomeAssistant,
    intent_type: str,
    slots: Mapping[str, Any],
    request: Request,
    *,
    device_id: str | None = None,
) -> Mapping[str, Any]:
    """Let Home Assistant handle an intent; what it would say, as slots.

    With `device_id` as if another device had heard it. Raises HomeAssistantError.
    """
    response = await intent.async_handle(
        hass,
        DOMAIN,
        intent_type,
        {name: {"value": value} for name, value in slots.items()},
        context=request.context,
        language=request.language,
        assistant=ASSISTANT,
        device_id=device_id or request.device_id,
        satellite_id=request.satellite_id,
        conversation_agent_id=request.agent_id,
    )
    return response.speech_slots


_FAILURES = {
    "no_timer_support": (
        "This device cannot run timers; ask a voice satellite that can."
    ),
    "timer_not_found": "There is no such timer.",
    "multiple_timers_matched": SEVERAL_TIMERS,
    "no_timer_command": "Home Assistant would not understand that command.",
}
"""What Home Assistant calls the error -> what the person is told."""


def known_failure(error: BaseException) -> str:
    """A sentence for an intent's error that has a name; "" for all others."""
    return _FAILURES.get(str(getattr(error, "response_key", "")), "")


def is_inner_failure(error: BaseException) -> bool:
    """Whether an intent failed in a way that its own author did not foresee."""
    return isinstance(error, intent.IntentUnexpectedError)
