"""All names of Home Assistant that tend to move between releases, behind plain calls.

The rest of the integration deals in entity ids, names and area ids; when a registry
or the chat log changes its shape, this is the module to adapt. Services and intents
are called in `ha_calls`.
"""

import inspect
from collections.abc import Callable, Iterator
from typing import Any

from homeassistant.components.conversation import DOMAIN as ASSISTANT
from homeassistant.components.conversation import (
    AssistantContent,
    ChatLog,
    ConversationInput,
    ConversationResult,
    async_get_result_from_chat_log,
    trace,
)
from homeassistant.components.homeassistant.exposed_entities import (
    async_listen_entity_updates,
    async_should_expose,
)
from homeassistant.components.intent import async_device_supports_timers
from homeassistant.const import MATCH_ALL
from homeassistant.core import (
    CALLBACK_TYPE,
    Event,
    EventStateChangedData,
    HomeAssistant,
    State,
    callback,
)
from homeassistant.helpers import (
    area_registry as ar,
)
from homeassistant.helpers import (
    device_registry as dr,
)
from homeassistant.helpers import (
    entity_registry as er,
)
from homeassistant.helpers import (
    floor_registry as fr,
)
from homeassistant.helpers.event import (
    async_track_state_added_domain,
    async_track_state_change_event,
)
from homeassistant.helpers.intent import find_areas
from homeassistant.requirements import pip_kwargs

from .request import Request

REGISTRY_EVENTS = (
    ar.EVENT_AREA_REGISTRY_UPDATED,
    dr.EVENT_DEVICE_REGISTRY_UPDATED,
    er.EVENT_ENTITY_REGISTRY_UPDATED,
    fr.EVENT_FLOOR_REGISTRY_UPDATED,
)


@callback
def is_exposed(hass: HomeAssistant, entity_id: str) -> bool:
    """Whether the user lets Assist see and control this entity."""
    return async_should_expose(hass, ASSISTANT, entity_id)


@callback
def exposed_states(hass: HomeAssistant) -> list[State]:
    """The states of all exposed entities, in the order of their entity ids."""
    return sorted(
        (s for s in hass.states.async_all() if is_exposed(hass, s.entity_id)),
        key=lambda state: state.entity_id,
    )


@callback
def floors(hass: HomeAssistant) -> Iterator[tuple[str, str, int | None, set[str]]]:
    """Each floor's id, name, level (0 = ground floor) and aliases."""
    for floor in fr.async_get(hass).async_list_floors():
        yield floor.floor_id, floor.name, floor.level, floor.aliases


@callback
def areas(hass: HomeAssistant) -> Iterator[tuple[str, str, str | None, set[str]]]:
    """Each area's id, name, floor id and aliases."""
    for area in ar.async_get(hass).async_list_areas():
        yield area.id, area.name, area.floor_id, area.aliases


@callback
def entity_aliases(hass: HomeAssistant, entity_id: str) -> list[str]:
    """The names that the user gave the entity for Assist, in the user's order."""
    entry = er.async_get(hass).async_get(entity_id)
    return er.async_get_entity_aliases(hass, entry) if entry else []


@callback
def entity_area(hass: HomeAssistant, entity_id: str) -> str | None:
    """The entity's area id: its own, else its device's."""
    entry = er.async_get(hass).async_get(entity_id)
    return er.async_get_effective_area_id(hass, entry) if entry else None


@callback
def entity_device(hass: HomeAssistant, entity_id: str) -> str | None:
    """The id of the device that the entity belongs to."""
    entry = er.async_get(hass).async_get(entity_id)
    return entry.device_id if entry else None


@callback
def speaker_area(hass: HomeAssistant, user_input: ConversationInput) -> str | None:
    """The area id of the satellite or device that heard the sentence."""
    if user_input.satellite_id and (area := entity_area(hass, user_input.satellite_id)):
        return area
    if user_input.device_id and (
        device := dr.async_get(hass).async_get(user_input.device_id)
    ):
        return dr.async_get_effective_area_id(hass, device)
    return None


@callback
def device_place(hass: HomeAssistant, device_id: str) -> tuple[str, tuple[str, ...]]:
    """The name of a device's area, and the names of that area's floor."""
    device = dr.async_get(hass).async_get(device_id) if device_id else None
    area_id = dr.async_get_effective_area_id(hass, device) if device else None
    area = ar.async_get(hass).async_get_area(area_id) if area_id else None
    if area is None:
        return "", ()
    floor = fr.async_get(hass).async_get_floor(area.floor_id) if area.floor_id else None
    return area.name, (floor.name, *sorted(floor.aliases)) if floor else ()


@callback
def timer_device(hass: HomeAssistant, area_name: str) -> str | None:
    """A device in the area of that name that can run timers."""
    for area in find_areas(area_name, ar.async_get(hass)):
        for device in dr.async_entries_for_area(dr.async_get(hass), area.id):
            if async_device_supports_timers(hass, device.id):
                return device.id
    return None


@callback
def entity_name(hass: HomeAssistant, entity_id: str) -> str:
    """The name of an entity as the user knows it."""
    state = hass.states.get(entity_id)
    return state.name if state else entity_id


@callback
def not_exposed(hass: HomeAssistant, entity_id: str) -> str:
    """The sentence about an entity that Assist may not use."""
    return f"{entity_name(hass, entity_id)} is not exposed to voice assistants."


@callback
def shopping_list(hass: HomeAssistant) -> str | None:
    """The to-do entity of Home Assistant's own shopping list, if there is one."""
    registry = er.async_get(hass)
    for entry in hass.config_entries.async_entries("shopping_list"):
        for entity in er.async_entries_for_config_entry(registry, entry.entry_id):
            if entity.domain == "todo" and hass.states.get(entity.entity_id):
                return entity.entity_id
    return None


@callback
def request_of(hass: HomeAssistant, user_input: ConversationInput) -> Request:
    """Who asks, and through which device."""
    device_id = user_input.device_id
    if device_id is None and user_input.satellite_id:
        device_id = entity_device(hass, user_input.satellite_id)
    return Request(
        context=user_input.context,
        language=user_input.language,
        device_id=device_id,
        satellite_id=user_input.satellite_id,
        agent_id=user_input.agent_id,
    )


@callback
def track_structure(
    hass: HomeAssistant, changed: Callable[[], None]
) -> list[CALLBACK_TYPE]:
    """Call `changed` when exposure, a registry or the set of entities changes."""

    @callback
    def on_event(_: Event[Any]) -> None:
        changed()

    return [
        *(hass.bus.async_listen(event, on_event) for event in REGISTRY_EVENTS),
        async_track_state_added_domain(hass, MATCH_ALL, on_event),
        async_listen_entity_updates(hass, ASSISTANT, changed),
    ]


@callback
def track_states(
    hass: HomeAssistant,
    entity_ids: list[str],
    changed: Callable[[str, State | None], None],
) -> CALLBACK_TYPE:
    """Call `changed(entity_id, new state or None)` when one of these changes."""

    @callback
    def on_event(event: Event[EventStateChangedData]) -> None:
        changed(event.data["entity_id"], event.data["new_state"])

    return async_track_state_change_event(hass, entity_ids, on_event)


@callback
def conversation_result(
    agent_id: str, user_input: ConversationInput, chat_log: ChatLog, *, asks_back: bool
) -> ConversationResult:
    """The turn's result; the microphone stays open if the reply asks back."""
    if not isinstance(chat_log.content[-1], AssistantContent):
        # Nothing was said, which is a valid answer; the log wants to see it.
        chat_log.async_add_assistant_content_without_tools(
            AssistantContent(agent_id=agent_id, content="")
        )
    result = async_get_result_from_chat_log(user_input, chat_log)
    result.continue_conversation = asks_back
    return result


def installer_options(hass: HomeAssistant) -> dict[str, Any]:
    """The options with which Home Assistant calls its `install_package`."""
    # Up to 2026.10 it may install into a folder beside the configuration.
    takes_folder = bool(inspect.signature(pip_kwargs).parameters)
    return pip_kwargs(*([hass.config.config_dir] if takes_folder else []))


def trace_tool_call(service: str, data: dict[str, Any], error: str) -> None:
    """Show a carried out call in the trace of the conversation."""
    details: dict[str, Any] = {"tool_name": service, "tool_args": data}
    if error:
        details["error"] = error
    trace.async_conversation_trace_append(
        trace.ConversationTraceEventType.TOOL_CALL, details
    )


def trace_turn(details: dict[str, Any]) -> None:
    """Show token counts and timings of a turn in the trace of the conversation."""
    trace.async_conversation_trace_append(
        trace.ConversationTraceEventType.AGENT_DETAIL, details
    )
