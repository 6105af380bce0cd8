"""Home Assistant's registries and states as a Home of the library."""

import json
from datetime import date
from enum import Enum, IntFlag, StrEnum
from types import MappingProxyType

import pytest
from homeassistant.components.homeassistant.exposed_entities import async_expose_entity
from homeassistant.core import HomeAssistant
from homeassistant.helpers import area_registry as ar
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import floor_registry as fr
from hypothesis import given
from hypothesis import strategies as st
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.homellm_edge.home_source import HomeSource, plain_attributes


@pytest.fixture
def changes() -> list[str]:
    return []


@pytest.fixture
def source(home: HomeAssistant, changes: list[str]):
    found = HomeSource(home, lambda: changes.append("changed"))
    found.start()
    yield found
    found.stop()


async def test_only_exposed_entities_with_names_areas_and_aliases(
    source: HomeSource,
) -> None:
    home = source.home()
    assert [e.entity_id for e in home.entities] == [
        "light.bedroom_lamp",
        "light.kitchen_lamp",
    ]
    lamp = home.entity("light.kitchen_lamp")
    assert (lamp.name, lamp.state, lamp.area) == ("Kitchen Lamp", "off", "kitchen")
    assert lamp.aliases == ("cooking light",)
    assert lamp.attributes["supported_color_modes"] == ["onoff"]
    assert "friendly_name" not in lamp.attributes


async def test_areas_and_floors(source: HomeSource) -> None:
    home = source.home()
    kitchen = home.area("kitchen")
    assert (kitchen.name, kitchen.aliases) == ("Kitchen", ("galley",))
    ground = home.floor(kitchen.floor)
    assert (ground.name, ground.level) == ("Ground floor", 0)
    assert ground.aliases == ("downstairs",)
    assert [e.entity_id for e in home.members(ground.id)] == ["light.kitchen_lamp"]


async def test_a_state_change_is_seen_and_reported(
    hass: HomeAssistant, source: HomeSource, changes: list[str]
) -> None:
    before = source.home()
    await hass.services.async_call(
        "light", "turn_on", {"entity_id": "light.kitchen_lamp"}, blocking=True
    )
    await hass.async_block_till_done()
    assert changes
    after = source.home()
    assert after.entity("light.kitchen_lamp").state == "on"
    assert before.entity("light.kitchen_lamp").state == "off"
    assert after.entity("light.bedroom_lamp") is before.entity("light.bedroom_lamp")


async def test_the_home_stays_the_same_object_while_nothing_changes(
    hass: HomeAssistant, source: HomeSource, changes: list[str]
) -> None:
    home = source.home()
    del changes[:]
    hass.states.async_set("input_boolean.kitchen", "on")  # not exposed
    hass.states.async_set("input_boolean.kitchen", "off")
    await hass.async_block_till_done()
    # The template lights follow that switch: on and off again, but nothing else.
    assert source.home().areas == home.areas
    del changes[:]
    assert source.home() is source.home()
    assert changes == []


async def test_withdrawn_exposure_hides_the_entity_at_once(
    hass: HomeAssistant, source: HomeSource, changes: list[str]
) -> None:
    assert source.home().entity("light.kitchen_lamp")
    del changes[:]
    async_expose_entity(hass, "conversation", "light.kitchen_lamp", False)
    assert changes
    assert source.home().entity("light.kitchen_lamp") is None
    async_expose_entity(hass, "conversation", "light.kitchen_lamp", True)
    assert source.home().entity("light.kitchen_lamp")


async def test_new_and_removed_entities(
    hass: HomeAssistant, source: HomeSource
) -> None:
    assert source.home().entity("switch.kettle") is None
    hass.states.async_set("switch.kettle", "off", {"friendly_name": " Kettle "})
    assert source.home().entity("switch.kettle").name == "Kettle"
    hass.states.async_set("switch.kettle", "on")
    assert source.home().entity("switch.kettle").state == "on"
    hass.states.async_remove("switch.kettle")
    assert source.home().entity("switch.kettle") is None


async def test_the_area_may_come_from_the_device(
    hass: HomeAssistant, source: HomeSource
) -> None:
    entry = MockConfigEntry(domain="test")
    entry.add_to_hass(hass)
    device = dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id, identifiers={("test", "1")}
    )
    er.async_get(hass).async_update_entity(
        "light.bedroom_lamp", area_id=None, device_id=device.id
    )
    assert source.home().entity("light.bedroom_lamp").area is None
    dr.async_get(hass).async_update_device(device.id, area_id="kitchen")
    lamp = source.home().entity("light.bedroom_lamp")
    assert (lamp.area, lamp.device) == ("kitchen", device.id)


async def test_renamed_things_are_renamed(
    hass: HomeAssistant, source: HomeSource
) -> None:
    source.home()
    er.async_get(hass).async_update_entity(
        "light.kitchen_lamp", name="Sun", new_entity_id="light.sun", aliases=["sol"]
    )
    ar.async_get(hass).async_update("kitchen", name="Cookery")
    floor = fr.async_get(hass).async_get_floor_by_name("Ground floor")
    fr.async_get(hass).async_update(floor.floor_id, name="Earth", level=-1)
    await hass.async_block_till_done()
    home = source.home()
    assert home.entity("light.kitchen_lamp") is None
    assert home.entity("light.sun").name == "Sun"
    assert home.entity("light.sun").aliases == ("sol",)
    assert home.area("kitchen").name == "Cookery"
    assert home.floor(floor.floor_id).level == -1


async def test_a_stopped_source_hears_nothing_and_still_tells_the_truth(
    hass: HomeAssistant, source: HomeSource, changes: list[str]
) -> None:
    source.home()
    source.stop()
    del changes[:]
    hass.states.async_set("light.kitchen_lamp", "on")
    hass.states.async_set("switch.new", "on")
    await hass.async_block_till_done()
    assert changes == []
    assert source.home().entity("light.kitchen_lamp").state == "on"


class _Mode(StrEnum):
    HEAT = "heat"


class _Feature(IntFlag):
    A = 1
    B = 4


class _Odd(Enum):
    THING = object()


def test_attributes_become_plain() -> None:
    attributes = {
        "mode": _Mode.HEAT,
        "supported_features": _Feature.A | _Feature.B,
        "modes": {_Mode.HEAT, "cool"},
        "rgb_color": (255, 128, 0),
        "day": date(2026, 11, 22),
        "nested": MappingProxyType({1: (None, 2.5)}),
        "nan": float("nan"),
        "odd": _Odd.THING,
        "object": object(),
        "nothing": None,
        "access_token": "secret",
        "entity_picture": "/picture?token=secret",
        "latitude": 50.1,
        "text": "x" * 5000,
    }
    plain = plain_attributes(attributes)
    assert {k: v for k, v in plain.items() if k != "text"} == {
        "mode": "heat",
        "supported_features": 5,
        "modes": ["cool", "heat"],
        "rgb_color": [255, 128, 0],
        "day": "2026-11-22",
        "nested": {"1": [2.5]},
    }
    assert type(plain["mode"]) is str
    assert type(plain["supported_features"]) is int
    assert len(plain["text"]) == 1000


_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.dates()
    | st.sampled_from([_Mode.HEAT, _Feature.B, _Odd.THING])
    | st.binary(),
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text() | st.integers(), inner)
        | st.frozensets(st.integers() | st.text())
    ),
)


@given(st.dictionaries(st.text(), _VALUES))
def test_whatever_comes_in_strict_json_comes_out(attributes) -> None:
    json.dumps(dict(plain_attributes(attributes)), allow_nan=False)
