"""Calls that Home Assistant wants in another form: lists, media by name."""

from typing import Any

import pytest
from homeassistant.components.homeassistant.exposed_entities import async_expose_entity
from homeassistant.components.media_player import (
    BrowseMedia,
    MediaClass,
    MediaPlayerEntity,
    MediaPlayerEntityFeature,
    SearchMedia,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers import intent
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import (
    async_mock_service,
    setup_test_component_platform,
)

from custom_components.homellm_edge.executor import HassExecutor
from homellm_edge.services import ServiceCall
from support import Shopping

SHOPPING = "todo.shopping_list"
MILK = ServiceCall("shopping_list.add_item", (), {"item": "milk"})
INTENT = "HassMediaSearchAndPlay"


async def _do(runs: HassExecutor, service: str, **data: Any) -> str:
    return (await runs.execute(ServiceCall(service, (SHOPPING,), data))).error


async def test_the_shopping_list_without_a_name(
    runs: HassExecutor, shopping: Shopping
) -> None:
    result = await runs.execute(MILK)
    assert result.ok
    assert result.call is MILK
    assert shopping() == [("milk", False)]


async def test_a_hidden_shopping_list_is_left_alone(
    hass: HomeAssistant, runs: HassExecutor, shopping: Shopping
) -> None:
    async_expose_entity(hass, "conversation", SHOPPING, False)
    assert "not exposed" in (await runs.execute(MILK)).error
    assert shopping() == []


async def test_a_shopping_list_without_an_entity(
    hass: HomeAssistant, runs: HassExecutor
) -> None:
    assert (await runs.execute(MILK)).error.startswith("There is no shopping list")
    calls = async_mock_service(hass, "shopping_list", "add_item")
    assert (await runs.execute(MILK)).ok
    assert calls[0].data == {"name": "milk"}


async def test_a_call_that_lacks_something_is_told(runs: HassExecutor) -> None:
    result = await runs.execute(ServiceCall("shopping_list.add_item", (), {}))
    assert result.error == "Home Assistant reported an unexpected error."


async def test_items_are_found_in_whatever_case(
    runs: HassExecutor, shopping: Shopping
) -> None:
    for item in ("Oat Milk", "Eggs", "milk"):
        assert await _do(runs, "todo.add_item", item=item) == ""
    done = {"item": "oat  milk", "status": "completed"}
    assert await _do(runs, "todo.update_item", **done) == ""
    assert await _do(runs, "todo.remove_item", item="EGGS") == ""
    assert shopping() == [("Oat Milk", True), ("milk", False)]
    assert "tea" in await _do(runs, "todo.remove_item", item="tea")


async def test_of_two_items_the_open_one_is_done(
    runs: HassExecutor, shopping: Shopping
) -> None:
    await _do(runs, "todo.add_item", item="Milk")
    await _do(runs, "todo.update_item", item="milk", status="completed")
    await _do(runs, "todo.add_item", item="Milk")
    await _do(runs, "todo.update_item", item="milk", status="completed")
    assert shopping() == [("Milk", True), ("Milk", True)]


class _Player(MediaPlayerEntity):
    _attr_should_poll = False
    _attr_supported_features = (
        MediaPlayerEntityFeature.PLAY_MEDIA | MediaPlayerEntityFeature.SEARCH_MEDIA
    )

    def __init__(self, name: str) -> None:
        self.entity_id = f"media_player.{name.lower()}"
        self._attr_name = name
        self.searched: list[str] = []
        self.played: list[tuple[str, str]] = []

    async def async_search_media(self, query):
        self.searched.append(query.search_query)
        if query.search_query == "nothing":
            return SearchMedia(result=[])
        return SearchMedia(
            result=[
                BrowseMedia(
                    title=title,
                    media_class=MediaClass.MUSIC,
                    media_content_type="music",
                    media_content_id=f"{query.search_query}/{title}",
                    can_play=True,
                    can_expand=False,
                )
                for title in ("first", "second")
            ]
        )

    async def async_play_media(self, media_type, media_id, **kwargs):
        self.played.append((media_type, media_id))


@pytest.fixture
async def players(home: HomeAssistant) -> list[_Player]:
    """A radio and a gramophone that search, and a speaker that does not."""
    found = [_Player("Radio"), _Player("Gramophone"), _Player("Speaker")]
    found[2]._attr_supported_features = MediaPlayerEntityFeature.PLAY_MEDIA
    setup_test_component_platform(home, "media_player", found)
    assert await async_setup_component(
        home, "media_player", {"media_player": {"platform": "test"}}
    )
    await home.async_block_till_done()
    return found


async def _play(runs: HassExecutor, wanted: str, *players: _Player) -> str:
    call = ServiceCall(
        "media_player.play_media",
        tuple(p.entity_id for p in players),
        {"search_query": wanted},
    )
    return (await runs.execute(call)).error


@pytest.mark.parametrize("by_intent", [True, False])
async def test_the_first_hit_is_played_on_every_player(
    hass: HomeAssistant, runs: HassExecutor, players: list[_Player], by_intent: bool
) -> None:
    if not by_intent:
        intent.async_remove(hass, INTENT)
    radio, gramophone, _ = players
    assert await _play(runs, "Mozart", radio, gramophone) == ""
    for player in (radio, gramophone):
        assert player.searched == ["Mozart"]
        assert player.played == [("music", "Mozart/first")]


@pytest.mark.parametrize("by_intent", [True, False])
async def test_nothing_found_is_told(
    hass: HomeAssistant, runs: HassExecutor, players: list[_Player], by_intent: bool
) -> None:
    if not by_intent:
        intent.async_remove(hass, INTENT)
    assert await _play(runs, "nothing", players[0]) == "No results found for nothing."
    assert players[0].played == []


async def test_a_player_that_cannot_search_is_told(
    hass: HomeAssistant, runs: HassExecutor, players: list[_Player]
) -> None:
    radio, gramophone, speaker = players
    error = await _play(runs, "Mozart", radio, speaker)
    assert error == "Speaker cannot search for media."
    assert radio.searched == []
    gramophone._attr_available = False
    gramophone.async_write_ha_state()
    await hass.async_block_till_done()
    error = await _play(runs, "Mozart", gramophone)
    assert error == "Gramophone cannot be reached."


async def test_media_with_its_id_goes_straight_to_the_service(
    runs: HassExecutor, players: list[_Player]
) -> None:
    data = {"media_content_id": "42", "media_content_type": "channel"}
    call = ServiceCall("media_player.play_media", ("media_player.radio",), data)
    assert (await runs.execute(call)).ok
    assert players[0].played == [("channel", "42")]
