"""To-do lists: the shopping list without a name, and items as they are written."""

from typing import Any

from homeassistant.core import HomeAssistant

from homellm_edge.services import ServiceCall

from . import ha_api, ha_calls
from .request import Request

ON_PRESENT_ITEMS = frozenset({"todo.update_item", "todo.remove_item"})
"""Services that find an item by its exact text."""


async def open_items(
    hass: HomeAssistant, entity_id: str, request: Request
) -> list[dict[str, Any]]:
    """The items of a list that are still to be done."""
    return await _items(hass, entity_id, ["needs_action"], request)


async def add_to_shopping_list(hass: HomeAssistant, item: str, request: Request) -> str:
    """Add to Home Assistant's own shopping list; an error as a sentence, or ""."""
    entity_id = ha_api.shopping_list(hass)
    if entity_id and not ha_api.is_exposed(hass, entity_id):
        return ha_api.not_exposed(hass, entity_id)
    if entity_id:
        service, data = "todo.add_item", {"entity_id": entity_id, "item": item}
    elif hass.services.has_service("shopping_list", "add_item"):
        service, data = "shopping_list.add_item", {"name": item}
    else:
        return "There is no shopping list; add one in Home Assistant."
    await ha_calls.call_service(hass, service, data, request)
    return ""


async def change_item(hass: HomeAssistant, call: ServiceCall, request: Request) -> str:
    """Update or remove an item, in whatever case it is written on the list."""
    said = str(call.data["item"])
    for entity_id in call.targets:
        item = await _written(hass, entity_id, said, request)
        data = {**call.data, "entity_id": entity_id, "item": item}
        await ha_calls.call_service(hass, call.service, data, request)
    return ""


async def _written(
    hass: HomeAssistant, entity_id: str, said: str, request: Request
) -> str:
    """The id of the item that was said; what is still to be done comes first."""
    items = await _items(hass, entity_id, ["needs_action", "completed"], request)
    items.sort(key=lambda item: item.get("status") == "completed")
    wanted = " ".join(said.casefold().split())
    for item in items:
        summary = str(item.get("summary") or "")
        if " ".join(summary.casefold().split()) == wanted:
            return str(item.get("uid") or summary)
    return said


async def _items(
    hass: HomeAssistant, entity_id: str, status: list[str], request: Request
) -> list[dict[str, Any]]:
    answer = await ha_calls.ask_service(
        hass, "todo.get_items", entity_id, {"status": status}, request
    )
    return list(answer.get("items") or ()) if answer else []
