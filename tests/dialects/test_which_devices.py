"""Which devices of a room a command means, where more than the room has to be known."""

from __future__ import annotations

from typing import Any

import pytest

from homellm_edge.dialects import GroundedDialect, Situation
from homellm_edge.dialects.base import Reply
from homellm_edge.grounding import Grounder
from homellm_edge.grounding.clauses import split_clauses
from homellm_edge.grounding.spans import find_durations
from homellm_edge.grounding.text import tokens
from homellm_edge.home import Area, Entity, Home
from homellm_edge.services import ServiceCall

CLIMATE = {
    "supported_features": 385,
    "hvac_modes": ["off", "heat"],
    "temperature": 20,
    "current_temperature": 19,
    "min_temp": 7,
    "max_temp": 30,
}
PLAYER = {"supported_features": 152461, "volume_level": 0.5}


def _home(*entities: Entity) -> Home:
    areas = (Area("living", "Living Room"), Area("bedroom", "Bedroom"))
    lamp = Entity("light.lamp", "Spot", "off", area="living")
    return Home((), areas, (*entities, lamp))


def _targets(home: Home, sentence: str, here: str, written: dict[str, Any]) -> Any:
    found = Grounder(home).ground(sentence, here)
    situation = Situation(home, sentence, found, here)
    steps = GroundedDialect().steps(situation, written)
    if isinstance(steps[0], Reply):
        return steps[0].kind
    return [t for s in steps if isinstance(s, ServiceCall) for t in s.targets]


WARMER = {
    "service": "climate.set_temperature",
    "target_area": "<here>",
    "temperature_step": "+2",
}


def test_the_only_thermostat_heats_every_room() -> None:
    home = _home(Entity("climate.hall", "Heating", "heat", CLIMATE, area="bedroom"))
    assert _targets(home, "im freezing", "living", WARMER) == ["climate.hall"]


def test_a_thermostat_that_a_room_does_not_have_is_not_found() -> None:
    home = _home(Entity("climate.hall", "Nest", "heat", CLIMATE, area="bedroom"))
    said = "turn the thermostat up"
    assert _targets(home, said, "living", WARMER) == "not_found"


def test_of_two_thermostats_none_is_guessed() -> None:
    home = _home(
        Entity("climate.a", "Nest", "heat", CLIMATE, area="bedroom"),
        Entity("climate.b", "Tado", "heat", CLIMATE, area="bedroom"),
    )
    assert _targets(home, "im freezing", "living", WARMER) == "not_found"


@pytest.mark.parametrize(
    ("states", "verb", "meant"),
    [
        (("playing", "off"), "media_pause", [0]),
        (("playing", "paused"), "media_pause", [0]),
        (("playing", "playing"), "media_pause", [0, 1]),
        (("paused", "idle"), "volume_up", [0]),
        (("off", "off"), "turn_on", [0, 1]),
        (("playing", "off"), "turn_off", [0, 1]),
        (("playing", "paused"), "media_play", [0, 1]),
    ],
)
def test_pause_means_the_player_that_plays(
    states: tuple[str, str], verb: str, meant: list[int]
) -> None:
    home = _home(
        *(
            Entity(f"media_player.p{n}", f"P{n}", state, PLAYER, area="living")
            for n, state in enumerate(states)
        )
    )
    written = {"service": f"media_player.{verb}", "target_area": "<here>"}
    found = _targets(home, "do that please", "living", written)
    assert found == [f"media_player.p{n}" for n in meant]


def test_what_cannot_cool_is_no_air_conditioner() -> None:
    cooler = {**CLIMATE, "hvac_modes": ["off", "cool"]}
    home = _home(
        Entity("climate.a", "Nest", "heat", CLIMATE, area="living"),
        Entity("climate.b", "Daikin", "cool", cooler, area="living"),
    )
    grounder = Grounder(home)
    assert grounder.ground("turn on the ac").entities == ("climate.b",)
    assert grounder.ground("turn on the heating").entities == ("climate.a",)
    assert len(grounder.ground("turn on the thermostat").entities) == 2


def test_a_device_with_two_such_names_has_all_their_synonyms() -> None:
    tv = Entity("media_player.tv", "Television", "on", PLAYER, aliases=("tv",))
    radio = Entity("media_player.radio", "Kitchen Radio", "on", PLAYER)
    found = Grounder(_home(tv, radio)).ground("mute the telly")
    assert found.entities == ("media_player.tv",)


def test_synonyms_of_two_devices_stay_apart() -> None:
    one = Entity("media_player.a", "Bedroom TV", "on", PLAYER)
    two = Entity("media_player.b", "Television", "on", PLAYER)
    found = Grounder(_home(one, two)).ground("mute the television")
    assert found.entities[0] == "media_player.b"


@pytest.mark.parametrize(
    ("sentence", "clauses"),
    [
        ("kitchen light off, bedside lamp on", 2),
        ("kitchen light off and bedside lamp on", 2),
        ("the blinds up and the lamp and the fan off", 1),
        ("turn the lamp and the fan off", 1),
        ("put the lamp on and put the fan off", 2),
    ],
)
def test_commands_without_a_verb_are_cut_apart(sentence: str, clauses: int) -> None:
    assert len(split_clauses(tokens(sentence))) == clauses


def test_a_half_belongs_to_its_number() -> None:
    assert [t.number for t in tokens("up by one and a half degrees")][2] == 1.5
    (found,) = find_durations(tokens("in two and a half hours"))
    assert found.seconds == 9000
    (found,) = find_durations(tokens("two hours and a half"))
    assert found.seconds == 9000


def test_how_many_are_put_on_a_named_list_is_kept() -> None:
    home = _home(Entity("todo.s", "Shopping List", "0", {"supported_features": 127}))
    found = Grounder(home).ground("add 6 eggs to the shopping list")
    situation = Situation(home, "", found)
    (step,) = GroundedDialect().steps(
        situation,
        {"service": "todo.add_item", "target_device": "<E1>", "item": "<T1>"},
    )
    assert isinstance(step, ServiceCall)
    assert dict(step.data) == {"item": "6 eggs"}
