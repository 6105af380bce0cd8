from __future__ import annotations

from typing import Any

import pytest

from homellm_edge.errors import CallError
from homellm_edge.home import Entity, Home
from homellm_edge.language import ACTIONS
from homellm_edge.services import Service, check_call, services_for
from homes import sample_home


def test_seed_names_and_texts_become_service_data() -> None:
    home = sample_home()
    call = check_call(home, "light.turn_on", ["light.kitchen"], {"brightness": "50"})
    assert call.data == {"brightness_pct": 50}
    call = check_call(
        home, "climate.set_temperature", ["climate.thermostat"], {"temperature": 21.0}
    )
    assert call.to_dict() == {
        "service": "climate.set_temperature",
        "target_device": "climate.thermostat",
        "temperature": 21,
    }


@pytest.mark.parametrize(
    ("service", "target", "data", "cause"),
    [
        ("light.turn_on", "light.none", {}, "no exposed device"),
        ("light.open", "light.kitchen", {}, "does not offer"),
        ("light.turn_on", "lock.front_door", {}, "does not offer"),
        ("light.turn_on", "light.kitchen", {"brightness": 300}, "not a number from 0"),
        ("light.turn_on", "light.kitchen", {"brightness": True}, "not a number"),
        ("light.turn_on", "light.kitchen", {"brightness": "nan"}, "not a number"),
        ("light.turn_on", "light.kitchen", {"volume": 3}, "takes no volume"),
        ("climate.set_temperature", "climate.thermostat", {}, "needs temperature"),
        (
            "climate.set_temperature",
            "climate.thermostat",
            {"temperature": 31},
            "from 7 to 30",
        ),
        (
            "media_player.select_source",
            "media_player.speaker",
            {"source": "Netflix"},
            "not one of Line In, Radio One",
        ),
        ("light.turn_on", "light.floor_lamp", {"rgb_color": [1, 2]}, "three numbers"),
    ],
)
def test_what_the_home_does_not_offer_is_refused(
    service: str, target: str, data: dict[str, Any], cause: str
) -> None:
    with pytest.raises(CallError, match=cause):
        check_call(sample_home(), service, [target], data)


def test_supported_features_limit_the_services() -> None:
    def names(features: int) -> set[str]:
        entity = Entity("cover.x", "X", attributes={"supported_features": features})
        return {s.name.partition(".")[2] for s in services_for(entity)}

    assert "set_cover_position" not in names(3)
    assert {"open_cover", "close_cover", "stop_cover"} <= names(1 | 2 | 8)
    onoff = Entity("light.x", "X", attributes={"supported_color_modes": ["onoff"]})
    assert services_for(onoff)[0].arguments == ()


def test_what_opens_the_house_is_marked() -> None:
    home = sample_home()
    marked = {
        (e.entity_id, s.name)
        for e in home.entities
        for s in services_for(e)
        if s.explicit
    }
    assert ("lock.front_door", "lock.unlock") in marked
    assert ("cover.garage_door", "cover.open_cover") in marked
    assert ("cover.garage_door", "cover.close_cover") not in marked
    assert ("cover.blinds", "cover.open_cover") not in marked


def test_what_our_model_can_say_is_offered_and_nothing_of_a_sensor() -> None:
    rich = {
        "preset_modes": ["eco"],
        "fan_modes": ["low"],
        "source_list": ["TV"],
        "available_modes": ["sleep"],
        "operation_list": ["eco"],
        "min_color_temp_kelvin": 2000,
        "supported_features": (1 << 24) - 1,
    }
    for domain, said in ACTIONS.items():
        if domain == "homeassistant":  # stands for the members' own services
            continue
        entity = Entity(f"{domain}.x", "X", attributes=rich)
        offered = {s.name.partition(".")[2] for s in services_for(entity)}
        assert said.keys() <= offered, domain
    assert services_for(Entity("sensor.x", "X")) == ()


def _offers(entity_id: str, **attributes: Any) -> dict[str, Service]:
    entity = Entity(entity_id, "X", attributes=attributes)
    return {s.name.partition(".")[2]: s for s in services_for(entity)}


def _call(entity_id: str, verb: str, data: dict[str, Any], **attributes: Any) -> Any:
    home = Home(entities=(Entity(entity_id, "X", attributes=attributes),))
    domain = entity_id.partition(".")[0]
    return check_call(home, f"{domain}.{verb}", [entity_id], data).data


def test_a_climate_takes_one_temperature_or_a_range() -> None:
    both = {"supported_features": 1 | 2, "min_temp": 10, "max_temp": 30}

    def set_to(**data: Any) -> Any:
        return _call("climate.x", "set_temperature", data, **both)

    assert set_to(temperature=21.3) == {"temperature": 21.3}
    assert set_to(target_temp_low=18, target_temp_high=22.5) == {
        "target_temp_low": 18, "target_temp_high": 22.5,
    }  # fmt: skip
    assert set_to(target_temp_low=24, target_temp_high=20) == {
        "target_temp_low": 20, "target_temp_high": 24,
    }  # fmt: skip
    for data, cause in (
        ({}, "needs temperature or target_temp_low and target_temp_high"),
        ({"target_temp_low": 18}, "needs target_temp_high"),
        ({"target_temp_low": 18, "temperature": 20}, "together"),
        ({"temperature": 9}, "from 10 to 30"),
    ):
        with pytest.raises(CallError, match=cause):
            set_to(**data)
    only_one = _offers("climate.x", supported_features=1)["set_temperature"]
    assert [a.name for a in only_one.arguments] == ["temperature"]


@pytest.mark.parametrize(
    ("entity_id", "verb", "data", "attributes"),
    [
        ("number.x", "set_value", {"value": -4.5}, {"min": -5, "max": 5, "step": 0.5}),
        ("select.x", "select_option", {"option": "b"}, {"options": ["a", "b"]}),
        ("timer.x", "start", {"duration": "01:30:00"}, {}),
        ("timer.x", "start", {}, {}),
        ("todo.x", "add_item", {"item": 'say "hi"'}, {"supported_features": 1}),
        ("siren.x", "turn_on", {"tone": "fire", "duration": 10},
         {"supported_features": 31, "available_tones": {"1": "fire"}}),
        ("water_heater.x", "set_temperature", {"temperature": 50},
         {"supported_features": 1, "min_temp": 30, "max_temp": 60}),
        ("cover.x", "set_cover_tilt_position", {"tilt_position": 30},
         {"supported_features": 255}),
        ("media_player.x", "repeat_set", {"repeat": "one"},
         {"supported_features": 262144}),
        ("light.x", "turn_off", {"transition": 5}, {"supported_features": 32}),
        ("alarm_control_panel.x", "alarm_arm_away", {}, {"supported_features": 2}),
        ("lawn_mower.x", "dock", {}, {"supported_features": 7}),
        ("input_datetime.x", "set_datetime", {"time": "07:00:00"},
         {"has_time": True, "has_date": False}),
        ("text.x", "set_value", {"value": "abc"}, {"min": 3, "max": 5}),
    ],
)  # fmt: skip
def test_services_of_many_domains(
    entity_id: str, verb: str, data: dict[str, Any], attributes: dict[str, Any]
) -> None:
    assert _call(entity_id, verb, data, **attributes) == data


@pytest.mark.parametrize(
    ("entity_id", "verb", "data", "attributes"),
    [
        ("number.x", "set_value", {"value": 5.1}, {"min": -5, "max": 5}),
        ("number.x", "set_value", {"value": 1}, {"min": 5, "max": -5}),
        ("number.x", "set_value", {"value": 10**400}, {}),
        ("timer.x", "start", {"duration": "24:00:00"}, {}),
        ("timer.x", "start", {"duration": 90}, {}),
        ("todo.x", "add_item", {"item": " \u2003"}, {}),
        ("todo.x", "add_item", {"item": "x" * 101}, {}),
        ("todo.x", "add_item", {"item": "a\nb"}, {}),
        ("todo.x", "add_item", {"item": "\ud800"}, {}),
        ("todo.x", "add_item", {"item": 5}, {}),
        ("todo.x", "remove_item", {"item": "x"}, {"supported_features": 1}),
        ("text.x", "set_value", {"value": "a"}, {"mode": "password"}),
        ("text.x", "set_value", {"value": "a"}, {"pattern": "[0-9]"}),
        ("text.x", "set_value", {"value": "ab"}, {"min": 3}),
        ("lock.x", "open", {}, {}),
        ("media_player.x", "toggle", {}, {"supported_features": 128}),
    ],
)
def test_what_these_domains_refuse(
    entity_id: str, verb: str, data: dict[str, Any], attributes: dict[str, Any]
) -> None:
    with pytest.raises(CallError):
        _call(entity_id, verb, data, **attributes)


def test_volume_can_be_stepped_where_it_can_be_set() -> None:
    assert "volume_up" in _offers("media_player.x", supported_features=4)
    assert "volume_up" in _offers("media_player.x", supported_features=1024)
    assert "volume_up" not in _offers("media_player.x", supported_features=1)


def test_what_disarms_or_starts_the_unknown_is_marked() -> None:
    marked = {
        name
        for domain in ("alarm_control_panel", "lock", "script", "automation")
        for name, s in _offers(f"{domain}.x", supported_features=63).items()
        if s.explicit
    }
    assert marked == {
        "alarm_disarm", "alarm_trigger", "unlock", "open", "turn_on", "turn_off",
        "toggle", "trigger",
    }  # fmt: skip


def test_choices_are_bounded_and_exact() -> None:
    many = [f"option {n}" for n in range(1000)]
    (option,) = _offers("select.x", options=many)["select_option"].arguments
    assert 100 < len(option.choices) <= 200
    odd = ["Eco", "eco", None, 3, True, "x" * 400, "\ud800", "", "Eco", 10**400]
    (option,) = _offers("select.x", options=odd)["select_option"].arguments
    assert option.choices == ("Eco", "eco", "3", "on")
    data = {"option": "eco"}
    assert _call("select.x", "select_option", data, options=odd) == data
    with pytest.raises(CallError, match=r"not one of option 0, .*option 11, \.\.\.;"):
        _call("select.x", "select_option", {"option": "none"}, options=many)
