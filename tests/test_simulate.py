"""The home in memory: what calls do to its states, what it has to look up."""

from __future__ import annotations

from typing import Any

import pytest

from homellm_edge.errors import HomeError
from homellm_edge.home import Entity, home_from_dict
from homellm_edge.language import ACTIONS
from homellm_edge.queries import Query
from homellm_edge.services import ServiceCall, services_for
from homellm_edge.simulate import SimulatedHome
from homellm_edge.timers import Timers

LIST = "todo.shopping"
HOME = home_from_dict(
    {
        "entities": [
            {"entity_id": LIST, "name": "Shopping List", "state": "2",
             "attributes": {"todo_items": [
                 "Milk",
                 {"summary": "bread", "status": "completed"},
                 {"summary": "eggs", "status": "needs_action"},
             ]}},
            {"entity_id": "calendar.family", "name": "Family", "state": "off",
             "attributes": {"events": [{"summary": "Party", "start": "2024-05-15"}]}},
            {"entity_id": "weather.home", "name": "Home", "state": "sunny",
             "attributes": {"forecast": "none of them"}},
            {"entity_id": "sun.sun", "name": "Sun", "state": "above_horizon",
             "attributes": {"next_setting": "2024-05-15T19:00:00+00:00"}},
            {"entity_id": "media_player.tv", "name": "TV", "state": "off",
             "attributes": {"volume_level": 0.95}},
            {"entity_id": "timer.oven", "name": "Oven", "state": "idle"},
            {"entity_id": "vacuum.robot", "name": "Robot", "state": "docked"},
            {"entity_id": "lawn_mower.green", "name": "Green", "state": "docked"},
            {"entity_id": "light.lamp", "name": "Lamp", "state": "off"},
            {"entity_id": "alarm_control_panel.house", "name": "Alarm",
             "state": "disarmed"},
        ]
    }
)  # fmt: skip


async def _after(*calls: tuple[str, str, dict[str, Any]]) -> SimulatedHome:
    home = SimulatedHome(HOME)
    for service, target, data in calls:
        result = await home.execute(ServiceCall(service, (target,), data))
        assert result.ok
    return home


def _entity(home: SimulatedHome, entity_id: str) -> Entity:
    entity = home.home().entity(entity_id)
    assert entity is not None
    return entity


async def _open_items(home: SimulatedHome) -> list[str]:
    records = await home.look_up(Query("items", (LIST,)))
    return [
        str(item["summary"])
        for item in records[LIST]
        if item.get("status") != "completed"
    ]


async def test_things_on_a_list() -> None:
    home = await _after(("todo.add_item", LIST, {"item": "2 lemons"}))
    assert await _open_items(home) == ["Milk", "eggs", "2 lemons"]
    assert _entity(home, LIST).state == "3"
    done = {"item": "milk", "status": "completed"}
    await home.execute(ServiceCall("todo.update_item", (LIST,), done))
    await home.execute(ServiceCall("todo.remove_item", (LIST,), {"item": "EGGS"}))
    assert await _open_items(home) == ["2 lemons"]
    assert _entity(home, LIST).state == "1"
    call = ServiceCall("todo.remove_completed_items", (LIST,), {})
    await home.execute(call)
    records = await home.look_up(Query("items", (LIST,)))
    assert [r["summary"] for r in records[LIST]] == ["2 lemons"]
    assert HOME.entity(LIST).state == "2"  # type: ignore[union-attr]  # a value


@pytest.mark.parametrize("verb", ["update_item", "remove_item"])
async def test_what_is_not_on_a_list_cannot_be_changed(verb: str) -> None:
    """As Home Assistant has it, but where nobody said what is on the list."""
    call = ServiceCall(f"todo.{verb}", (LIST,), {"item": "tea", "status": "completed"})
    home = SimulatedHome(HOME)
    assert (await home.execute(call)).error == ("Unable to find to-do list item: tea")
    assert home.home() == HOME
    bare = home_from_dict({"entities": [{"entity_id": LIST, "name": "L"}]})
    assert (await SimulatedHome(bare).execute(call)).ok


async def test_what_is_looked_up() -> None:
    home = SimulatedHome(HOME)
    query = Query("events", ("calendar.family", "calendar.gone"))
    found = await home.look_up(query)
    assert found == {"calendar.family": [{"summary": "Party", "start": "2024-05-15"}]}
    assert await home.look_up(Query("weather", ("weather.home",))) == {}
    found = await home.look_up(Query("sunset"))
    assert found["sun"][0]["next_setting"] == "2024-05-15T19:00:00+00:00"
    found = await home.look_up(Query("items", (LIST,)))
    assert found[LIST][0] == {"summary": "Milk"}
    assert await home.look_up(Query("timer")) == {"timer": []}


async def test_timers_are_kept_where_there_are_any() -> None:
    home = SimulatedHome(HOME, Timers())
    start = ServiceCall("timer.start", (), {"duration_s": 300, "name": "tea"})
    assert (await home.execute(start)).ok
    (record,) = (await home.look_up(Query("timer")))["timer"]
    assert (record["name"], record["length_s"]) == ("tea", 300)
    gone = await home.execute(ServiceCall("timer.cancel", (), {"name": "pizza"}))
    assert gone.error == "there is no such timer."
    without = SimulatedHome(HOME)
    assert (await without.execute(ServiceCall("timer.cancel", (), {}))).ok


@pytest.mark.parametrize(
    ("service", "target", "data", "state"),
    [
        ("timer.start", "timer.oven", {"duration": "00:05:00"}, "active"),
        ("timer.pause", "timer.oven", {}, "paused"),
        ("vacuum.start", "vacuum.robot", {}, "cleaning"),
        ("vacuum.pause", "vacuum.robot", {}, "paused"),
        ("vacuum.stop", "vacuum.robot", {}, "idle"),
        ("vacuum.return_to_base", "vacuum.robot", {}, "returning"),
        ("lawn_mower.start_mowing", "lawn_mower.green", {}, "mowing"),
        ("lawn_mower.dock", "lawn_mower.green", {}, "docked"),
        ("alarm_control_panel.alarm_arm_night", "alarm_control_panel.house", {},
         "armed_night"),
        ("media_player.play_media", "media_player.tv", {"search_query": "jazz"},
         "playing"),
        ("light.turn_on", "light.lamp", {"brightness_pct": 0}, "off"),
        ("light.toggle", "light.lamp", {}, "on"),
    ],
)  # fmt: skip
async def test_states_after_a_call(
    service: str, target: str, data: dict[str, Any], state: str
) -> None:
    home = await _after((service, target, data))
    assert _entity(home, target).state == state


async def test_a_volume_stays_in_its_range() -> None:
    up: tuple[str, str, dict[str, Any]] = (
        "media_player.volume_up", "media_player.tv", {}
    )  # fmt: skip
    home = await _after(up, up)
    assert _entity(home, "media_player.tv").attributes["volume_level"] == 1


async def test_whatever_a_device_offers_can_be_done() -> None:
    """No call of the home language ends in an exception here."""
    values = {"item": "milk", "duration": "00:01:00", "search_query": "x",
              "status": "completed"}  # fmt: skip
    needing = ("add_item", "update_item", "remove_item")
    for entity in HOME.entities:
        for service in services_for(entity):
            data = {
                a.name: values.get(a.name, a.minimum)
                for a in service.arguments
                if a.required
            }
            home = await _after((service.name, entity.entity_id, data))
            assert _entity(home, entity.entity_id).state
        for verb in ACTIONS.get(entity.domain, {}):
            if verb not in needing:
                await _after((f"{entity.domain}.{verb}", entity.entity_id, {}))


async def test_a_device_that_is_gone() -> None:
    call = ServiceCall("light.turn_on", ("light.gone",), {})
    assert (await SimulatedHome(HOME).execute(call)).error == (
        "light.gone does not exist"
    )
    with pytest.raises(HomeError, match="empty"):
        SimulatedHome(HOME).set_state("light.lamp", "")
