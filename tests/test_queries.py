"""Questions about states: people, alarms, targets, sensors, what does not answer."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homellm_edge.home import Entity, Home, home_from_dict
from homellm_edge.language import ATTRIBUTES, QUERIES_OVER_SCOPE, SCOPES, STATES
from homellm_edge.queries import Query, answer, attribute_value, is_state
from homellm_edge.scopes import in_scope


def _home(*entities: tuple[str, str, str, dict[str, Any]]) -> Home:
    return home_from_dict(
        {
            "entities": [
                {"entity_id": i, "name": name, "state": state, "attributes": attributes}
                for i, name, state, attributes in entities
            ]
        }
    )


PEOPLE = _home(
    ("person.anna", "Anna", "home", {}),
    ("person.ben", "Ben", "not_home", {}),
    ("person.cleo", "Cleo", "work_place", {}),
    ("person.dan", "Dan", "unknown", {}),
)


def _ask(home: Home, kind: str, *targets: str, **fields: Any) -> str:
    chosen = targets or tuple(e.entity_id for e in home.entities)
    return answer(Query(kind, chosen, **fields), home)


@pytest.mark.parametrize(
    ("person", "wanted", "told"),
    [
        ("anna", "", "Anna is home."),
        ("anna", "home", "Yes, Anna is home."),
        ("anna", "away", "No, Anna is home."),
        ("ben", "", "Ben is away."),
        ("ben", "away", "Yes, Ben is away."),
        ("cleo", "", "Cleo is at work place."),
        ("cleo", "home", "No, Cleo is at work place."),
        ("cleo", "away", "Yes, Cleo is at work place."),
        ("dan", "away", "I do not know: Dan is unknown."),
    ],
)
def test_where_somebody_is(person: str, wanted: str, told: str) -> None:
    assert _ask(PEOPLE, "state", f"person.{person}", state=wanted) == told


def test_who_is_where() -> None:
    assert _ask(PEOPLE, "list", scope="person", state="home") == "Anna is home."
    # nobody knows of Dan: he is in neither answer
    assert _ask(PEOPLE, "list", scope="person", state="away") == (
        "Ben and Cleo are away."
    )
    assert _ask(PEOPLE, "any", scope="person", state="home") == "Yes, Anna is home."
    assert _ask(PEOPLE, "count", scope="person", state="home") == "1 person is home."
    assert _ask(PEOPLE, "count", scope="person", state="away") == "2 people are away."
    away = PEOPLE.with_state("person.anna", "not_home")
    assert _ask(away, "any", scope="person", state="home") == "No, no people are home."


@pytest.mark.parametrize("state", ["armed_home", "armed_away", "armed_custom_bypass"])
def test_an_alarm_is_armed_in_any_way(state: str) -> None:
    home = _home(("alarm_control_panel.house", "Alarm", state, {}))
    told = _ask(home, "state", state="armed")
    assert told == f"Yes, the Alarm is {state.replace('_', ' ')}."
    assert _ask(home, "state", state="disarmed").startswith("No, ")
    off = home.with_state("alarm_control_panel.house", "disarmed")
    assert _ask(off, "state", state="armed") == "No, the Alarm is disarmed."


@pytest.mark.parametrize(
    ("attributes", "told"),
    [
        ({"temperature": 21, "current_temperature": 19.5}, "21 degrees"),
        ({"temperature": None, "target_temp_low": 18.5}, "18.5 degrees"),
        ({"current_temperature": 19.5}, ""),
        ({"temperature": float("nan"), "target_temp_low": 18}, "18 degrees"),
        ({"temperature": "warm"}, ""),
    ],
)
def test_what_a_thermostat_is_set_to(attributes: dict[str, Any], told: str) -> None:
    home = _home(("climate.hall", "Hall Thermostat", "heat", attributes))
    assert attribute_value(home.entities[0], "target_temperature") == told
    said = _ask(home, "state", attribute="target_temperature")
    assert said == (
        f"The target temperature of the Hall Thermostat is {told}."
        if told
        else "The Hall Thermostat does not report its target temperature."
    )


SENSORS = _home(
    ("sensor.tank", "Water Tank", "63", {"unit_of_measurement": "%"}),
    ("sensor.air", "Air", "740",
     {"device_class": "carbon_dioxide", "unit_of_measurement": "ppm"}),
    ("climate.hall", "Hall Thermostat", "heat", {"current_temperature": 19.5}),
    ("sensor.hall", "Hall", "20.5",
     {"device_class": "temperature", "unit_of_measurement": "°C"}),
    ("number.pump", "Pump Level", "7", {}),
)  # fmt: skip


def test_a_sensor_answers_by_its_state() -> None:
    """Of whatever attribute it is asked: it measures one thing only."""
    for attribute in ("level", "humidity", "battery"):
        told = _ask(SENSORS, "state", "sensor.tank", attribute=attribute)
        assert told == "The Water Tank is 63 %."
    told = _ask(SENSORS, "state", "number.pump", attribute="level")
    assert told == "The Pump Level is 7."
    told = _ask(SENSORS, "state", "sensor.air", attribute="co2")
    assert told == "The CO2 level of the Air is 740 ppm."


def test_a_sensor_knows_better_than_a_thermostat() -> None:
    told = _ask(SENSORS, "value", attribute="temperature")
    assert told == "The temperature of the Hall is 20.5 °C."
    gone = SENSORS.with_state("sensor.hall", "unavailable")
    told = _ask(gone, "value", attribute="temperature")
    assert told == "The temperature of the Hall Thermostat is 19.5 degrees."
    told = _ask(gone, "value", "sensor.hall", attribute="temperature")
    assert told == "I do not know: the Hall is unavailable."


def test_what_does_not_answer_is_in_no_state() -> None:
    """An unavailable contact is not a closed door."""
    door = {"device_class": "door"}
    home = _home(
        ("binary_sensor.front", "Front Door", "off", door),
        ("binary_sensor.back", "Back Door", "unavailable", door),
    )
    assert _ask(home, "all", scope="door", state="closed") == (
        "No, the Back Door is not closed."
    )
    assert _ask(home, "count", scope="door", state="closed") == "1 door is closed."
    assert _ask(home, "state", "binary_sensor.back", state="closed") == (
        "I do not know: the Back Door is unavailable."
    )


@given(
    st.sampled_from(["binary_sensor", "person", "lock", "cover", "climate", "vacuum"]),
    st.sampled_from(["unavailable", "unknown"]),
    st.sampled_from(STATES),
)
def test_no_question_is_answered_yes_by_the_unknown(
    domain: str, state: str, wanted: str
) -> None:
    entity = Entity(f"{domain}.x", "X", state, {"hvac_action": "heating"})
    assert not is_state(entity, wanted)


@pytest.mark.parametrize(
    ("scope", "one"),
    [
        ("switch", "switch"), ("battery", "battery"), ("person", "person"),
        ("light", "light"), ("media_player", "player"), ("smoke", "smoke detector"),
    ],
)  # fmt: skip
def test_one_of_a_kind_is_called_so(scope: str, one: str) -> None:
    home = _home(("light.x", "X", "on", {}))
    told = _ask(home, "count", scope=scope, state="on")
    assert told == f"1 {one} is on."


_OWN_WORD = (
    "light fan cover lock media_player climate switch door window motion vacuum leak "
    "smoke battery person valve humidifier gas presence sound tamper vibration"
)
"""Scopes that are no mere `devices`."""


def test_every_scope_has_members_and_a_word() -> None:
    classes = (
        "door window motion moisture smoke battery battery_charging cold connectivity "
        "gas heat moving plug power presence problem safety sound tamper update "
        "vibration"
    )
    for scope in SCOPES:
        some = [
            Entity(f"{scope}.x", "X"),
            Entity("light.x", "X"),
            *(
                Entity("binary_sensor.x", "X", "on", {"device_class": c})
                for c in classes.split()
            ),
        ]
        assert any(in_scope(e, scope) for e in some), scope
        home = _home(("light.x", "X", "off", {}))
        told = _ask(home, "any", scope=scope, state="on")
        assert ("devices" in told) != (scope in _OWN_WORD.split()), scope


_VALUE = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
    | st.lists(st.integers(0, 255), max_size=3)
)  # fmt: skip
_ENTITY = st.builds(
    lambda domain, state, attributes: Entity(f"{domain}.x", "X", state, attributes),
    st.sampled_from(
        "sensor climate light cover media_player fan person lock binary_sensor".split()
    ),
    st.sampled_from(["on", "off", "unavailable", "21.5", "home", "heat", ""]),
    st.dictionaries(
        st.sampled_from(
            "temperature current_temperature target_temp_low brightness volume_level "
            "device_class current_position battery_level hvac_action humidity "
            "unit_of_measurement media_title rgb_color".split()
        ),
        _VALUE,
    ),
)


@given(
    _ENTITY,
    st.sampled_from(["state", "value", *QUERIES_OVER_SCOPE]),
    st.sampled_from(["", *STATES]),
    st.sampled_from(["", *ATTRIBUTES]),
    st.sampled_from(SCOPES),
)
def test_odd_devices_are_told_somehow(
    entity: Entity, kind: str, state: str, attribute: str, scope: str
) -> None:
    home = Home(entities=(entity,))
    query = Query(kind, ("x.gone", entity.entity_id), scope, state, attribute)
    assert answer(query, home).endswith(".")


def test_time_and_date_and_nothing() -> None:
    now = datetime(2024, 5, 1, 7, 5)
    assert answer(Query("time"), PEOPLE, now) == "It is 07:05."
    assert answer(Query("date"), PEOPLE, now) == "Today is Wednesday, May 1, 2024."
    assert answer(Query("state", ("light.gone",)), PEOPLE, now) == ""


def test_a_query_in_json_has_what_it_needs_only() -> None:
    query = Query("events", ("calendar.a",), data={"when": "today"})
    assert query.to_dict() == {
        "query": "events", "target_device": ["calendar.a"], "when": "today"
    }  # fmt: skip
