from __future__ import annotations

from typing import Any

import pytest

from homellm_edge.errors import CallError
from homellm_edge.home import Entity
from homellm_edge.language import ACTIONS
from homellm_edge.services import check_call, services_for
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
    rich = {"preset_modes": ["eco"], "fan_modes": ["low"], "source_list": ["TV"]}
    for domain, said in ACTIONS.items():
        if domain == "homeassistant":  # stands for the members' own services
            continue
        entity = Entity(f"{domain}.x", "X", attributes=rich)
        offered = {s.name.partition(".")[2] for s in services_for(entity)}
        assert said.keys() <= offered, domain
    assert services_for(Entity("sensor.x", "X")) == ()
