"""The services that the library describes are those of this Home Assistant."""

import importlib
from pathlib import Path

import homeassistant.components
import pytest
import yaml

from homellm_edge.home import Entity
from homellm_edge.services import services_for
from homellm_edge.services.attributes import FEATURES
from homellm_edge.services.domains import DOMAINS

COMPONENTS = Path(homeassistant.components.__file__).parent
EVERYTHING = {
    **dict.fromkeys(
        (
            "effect_list preset_modes fan_modes swing_modes swing_horizontal_modes "
            "source_list sound_mode_list available_modes operation_list fan_speed_list "
            "available_tones activity_list options"
        ).split(),
        ("one", "two"),
    ),
    "supported_features": 2**30 - 1,
    "has_time": True,
}

OURS = {("media_player.play_media", "search_query")}
"""Arguments that the executor turns into what Home Assistant wants."""


@pytest.mark.parametrize("domain", sorted(FEATURES))
def test_the_bits_are_those_of_the_feature_flags(domain: str) -> None:
    flags = [
        member
        for name, member in vars(
            importlib.import_module(f"homeassistant.components.{domain}")
        ).items()
        if name.endswith("EntityFeature")
    ]
    assert len(flags) == 1
    known = {flag.name.lower(): int(flag) for flag in flags[0]}
    assert {name: known.get(name) for name in FEATURES[domain]} == FEATURES[domain]


@pytest.mark.parametrize("domain", sorted(DOMAINS))
def test_services_and_arguments_exist(domain: str) -> None:
    described = yaml.safe_load((COMPONENTS / domain / "services.yaml").read_text())
    offered = services_for(Entity(f"{domain}.x", "X", attributes=EVERYTHING))
    assert offered
    for service in offered:
        verb = service.name.partition(".")[2]
        assert verb in described
        fields = _fields((described[verb] or {}).get("fields") or {})
        if any((service.name, a.name) in OURS for a in service.arguments):
            continue
        for argument in service.arguments:
            assert argument.name in fields, (service.name, argument.name)
        required = {name for name, field in fields.items() if field.get("required")}
        for form in service.forms:
            assert required <= {a.name for a in form if a.required}


def _fields(fields: dict) -> dict:
    found = {}
    for name, field in fields.items():
        found.update(_fields(field["fields"]) if "fields" in field else {name: field})
    return found
