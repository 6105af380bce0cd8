"""Plays what somebody asked for by name: searched on the player, the first hit played.

Home Assistant's own intent does it where it is registered, so whatever replaces that
intent is used too.
"""

from collections.abc import Sequence

from homeassistant.core import HomeAssistant

from homellm_edge.home import Entity
from homellm_edge.services.attributes import has
from homellm_edge.speech import join_names

from . import ha_calls
from .request import Request

_INTENT = "HassMediaSearchAndPlay"


async def search_and_play(
    hass: HomeAssistant, players: Sequence[Entity], wanted: str, request: Request
) -> str:
    """Play it on all these players; an error as a sentence, or ""."""
    if away := [p.name for p in players if p.state == "unavailable"]:
        return f"{join_names(away)} cannot be reached."
    if unable := [p.name for p in players if not _searches(p)]:
        return f"{join_names(unable)} cannot search for media."
    for player in players:
        if ha_calls.has_intent(hass, _INTENT):
            slots = {"search_query": wanted, "name": player.entity_id}
            await ha_calls.handle_intent(hass, _INTENT, slots, request)
        elif error := await _play_first(hass, player.entity_id, wanted, request):
            return error
    return ""


def _searches(player: Entity) -> bool:
    return player.domain == "media_player" and has(player, "play_media", "search_media")


async def _play_first(
    hass: HomeAssistant, entity_id: str, wanted: str, request: Request
) -> str:
    found = await ha_calls.ask_service(
        hass,
        "media_player.search_media",
        entity_id,
        {"search_query": wanted},
        request,
    )
    hits = ha_calls.media_found(found)
    if not hits:
        return f"No results found for {wanted}."
    content_id, content_type = hits[0]
    await ha_calls.call_service(
        hass,
        "media_player.play_media",
        {
            "entity_id": entity_id,
            "media_content_id": content_id,
            "media_content_type": content_type,
        },
        request,
    )
    return ""
