"""The grammar of a home as the home changes, and its targets."""

from __future__ import annotations

import dataclasses
import json
import random
from types import MappingProxyType

import pytest

from grammar_oracle import GrammarOracle
from homellm_edge.dialects import ChatMLDialect, Situation
from homellm_edge.errors import CallError
from homellm_edge.grammar import HomeGrammar, home_grammar
from homellm_edge.grammar.offers import Catalogue, Names
from homellm_edge.grounding import Grounding
from homellm_edge.home import Entity, Home
from homellm_edge.services import ServiceCall
from homes import sample_home
from random_homes import random_attributes, random_home


def _lines(text: str) -> dict[str, str]:
    return dict(line.split(" ::= ", 1) for line in text.splitlines())  # type: ignore[misc]


def _block(call: dict[str, object]) -> str:
    inside = json.dumps(call, ensure_ascii=False)[1:-1]
    return f"Okay.\n```homeassistant\n{{ {inside} }}\n```"


def _steps(call: dict[str, object], home: Home | None = None) -> list[ServiceCall]:
    situation = Situation(home or sample_home(), "x", Grounding("x"))
    steps = ChatMLDialect().steps(situation, call)
    assert all(isinstance(step, ServiceCall) for step in steps)
    return list(steps)  # type: ignore[arg-type]


def test_a_state_change_leaves_the_very_same_text() -> None:
    builder, home = HomeGrammar(), sample_home()
    before = builder.text(home)
    for state, attributes in (
        ("on", {"brightness": 3, "color_mode": "rgb"}),
        ("unavailable", {}),
        ("playing", {"volume_level": 1, "media_duration": 5, "percentage": 7}),
    ):
        for entity in home.entities:
            home = home.with_state(entity.entity_id, state, attributes)
            assert builder.text(home) is before
    renamed = dataclasses.replace(home.entities[0], name="Other", aliases=("x",))
    changed = Home(home.floors, home.areas, (renamed, *home.entities[1:]))
    assert builder.text(changed) is before


def test_a_new_device_changes_the_rules_of_its_kind_only() -> None:
    builder, home = HomeGrammar(), sample_home()
    before = _lines(builder.text(home))
    twin = dataclasses.replace(home.entities[0], entity_id="light.twin")
    after = _lines(builder.text(Home(home.floors, home.areas, (twin, *home.entities))))
    changed = [name for name in after if after[name] != before.get(name)]
    assert before.keys() == after.keys()
    assert len(changed) == 1
    assert '"twin"' in after[changed[0]]
    unlike = Entity("lock.other", "x", attributes={"supported_features": 1})
    after = _lines(
        builder.text(Home(home.floors, home.areas, (*home.entities, unlike)))
    )
    changed = [name for name in after if after[name] != before.get(name)]
    assert all("lock" in name for name in changed)
    kept = [name for name in after if name in before]
    assert kept == [name for name in before if name in after]


def test_what_is_remembered_never_shows() -> None:
    builder, rng = HomeGrammar(), random.Random(3)
    home = random_home(rng, count=25)
    for _ in range(60):
        entities = list(home.entities)
        place = rng.randrange(len(entities))
        kind = rng.randint(0, 3)
        if kind == 0 and len(entities) > 1:
            del entities[place]
        elif kind == 1:
            new = Entity(f"light.new_{rng.random():.9f}".replace("0.", ""), "x")
            entities.insert(place, new)
        elif kind == 2:
            attributes = random_attributes(rng)
            entities[place] = dataclasses.replace(
                entities[place], attributes=attributes
            )
        else:
            area = rng.choice([a.id for a in home.areas])
            entities[place] = dataclasses.replace(entities[place], area=area)
        home = Home(home.floors, home.areas, tuple(entities))
        assert builder.text(home) == home_grammar(home)


def test_policy_is_asked_each_time() -> None:
    allowed = {"light.turn_on"}
    builder = HomeGrammar(lambda entity, service: service.name in allowed)
    home = sample_home()
    assert '"switch.' not in builder.text(home)
    assert '"light.turn_on' in builder.text(home)
    allowed.add("switch.toggle")
    assert '"switch.toggle' in builder.text(home)
    assert '"switch.turn_on' not in builder.text(home)
    allowed.clear()
    assert '"light' not in builder.text(home)


def test_attributes_that_change_what_can_be_done_are_noticed() -> None:
    catalogue = Catalogue()

    def offered(**attributes: object) -> int:
        entity = Entity("light.x", "X", attributes=MappingProxyType(attributes))
        offers = catalogue.offers(Home(entities=(entity,)))
        return sum(len(call.service.arguments) for call in offers.calls["light"])

    assert offered() != offered(supported_color_modes=["onoff"])
    assert offered(effect_list=["a"]) != offered()
    assert offered(brightness=1) == offered()
    # 1 == True, but only one of them is a number
    assert offered(supported_features=32) != offered(supported_features="32")


def test_names_of_different_contents_differ() -> None:
    names = Names()
    # The hashes of these two are the same.
    first, second = names.of("x", "content 5343"), names.of("x", "content 6593")
    assert second == f"{first}0"
    assert names.of("x", "content 5343") == first
    assert names.of("x", "content 6593") == second


LIGHTS = ["light.kitchen", "light.floor_lamp"]


@pytest.mark.parametrize(
    ("call", "targets"),
    [
        ({"service": "light.turn_on", "target_device": LIGHTS}, [LIGHTS]),
        (
            {"service": "light.turn_on", "target_device": LIGHTS, "brightness": 5},
            [LIGHTS],
        ),
        (
            {"service": "light.turn_on", "target_area": "kitchen"},
            [["light.kitchen", "light.counter"]],
        ),
        (
            {"service": "light.turn_off", "target_area": "ground"},
            [["light.kitchen", "light.counter", "light.floor_lamp"]],
        ),
        (
            {"service": "light.turn_on", "target_area": "living_room",
             "rgb_color": [1, 2, 3]},
            [["light.floor_lamp"]],
        ),
        ({"service": "lock.lock", "target_area": "living_room"}, [["lock.front_door"]]),
        (
            {"service": "cover.close_cover", "target_area": "garage"},
            [["cover.garage_door"]],
        ),
        ({"service": "lock.unlock", "target_device": "lock.front_door"},
         [["lock.front_door"]]),
    ],
)  # fmt: skip
def test_groups(
    grammar_oracle: GrammarOracle, call: dict[str, object], targets: list[list[str]]
) -> None:
    assert grammar_oracle.accepts(home_grammar(sample_home()), _block(call))
    assert [list(step.targets) for step in _steps(call)] == targets


@pytest.mark.parametrize(
    ("call", "cause"),
    [
        ({"service": "lock.unlock", "target_area": "living_room"}, "only done to one"),
        ({"service": "cover.open_cover", "target_area": "garage"}, "only done to one"),
        ({"service": "cover.open_cover",
          "target_device": ["cover.garage_door", "cover.blinds"]}, "only done to one"),
        ({"service": "light.turn_on", "target_area": "garage"}, "nothing in garage"),
        ({"service": "light.turn_on", "target_area": "attic"}, "no area attic"),
        ({"service": "light.turn_on", "target_device": []}, "no target"),
        ({"service": "light.turn_on", "target_device": [*LIGHTS, "lock.front_door"]},
         "does not offer"),
        ({"service": "light.turn_on", "target_device": LIGHTS[0],
          "target_area": "kitchen"}, "one target"),
        ({"service": "light.turn_on"}, "one target"),
        ({"service": "light.turn_on", "target_device": [["light.kitchen"]]}, "no text"),
        ({"service": "light.turn_on", "target_area": "kitchen", "brightness": 101},
         "from 0 to 100"),
        ({"service": "light.turn_on", "target_device": "light.floor_lamp",
          "rgb_color": [1, 2, 3], "color_temp_kelvin": 3000}, "together"),
    ],
)  # fmt: skip
def test_groups_that_are_refused(
    grammar_oracle: GrammarOracle, call: dict[str, object], cause: str
) -> None:
    assert not grammar_oracle.accepts(home_grammar(sample_home()), _block(call))
    with pytest.raises(CallError, match=cause):
        _steps(call)


def test_a_list_is_bounded() -> None:
    entities = tuple(Entity(f"light.l{n}", "x") for n in range(9))
    call = {
        "service": "light.turn_on",
        "target_device": [e.entity_id for e in entities],
    }
    with pytest.raises(CallError, match="9 devices"):
        _steps(call, Home(entities=entities))


def test_lists_of_unlike_devices_take_what_they_share(
    grammar_oracle: GrammarOracle,
) -> None:
    def light(number: int, *modes: str) -> Entity:
        return Entity(
            f"light.l{number}", "x", attributes={"supported_color_modes": modes}
        )

    home = Home(
        entities=(light(1, "onoff"), light(2, "brightness"), light(3, "color_temp"))
    )
    grammar = home_grammar(home)
    call: dict[str, object] = {
        "service": "light.turn_on",
        "target_device": ["light.l1", "light.l2", "light.l3"],
    }
    assert grammar_oracle.accepts(grammar, _block(call))
    assert not grammar_oracle.accepts(grammar, _block({**call, "brightness": 5}))
    assert '"area' not in grammar


def test_unavailable_members_of_an_area_are_left_out() -> None:
    home = sample_home().with_state("light.kitchen", "unavailable")
    call: dict[str, object] = {"service": "light.turn_on", "target_area": "kitchen"}
    assert [s.targets for s in _steps(call, home)] == [("light.counter",)]
    home = home.with_state("light.counter", "unavailable")
    assert [s.targets for s in _steps(call, home)] == [
        ("light.kitchen", "light.counter")
    ]


def test_members_of_an_area_that_cannot_take_a_value_are_left_out() -> None:
    def climate(name: str, highest: int) -> Entity:
        return Entity(
            f"climate.{name}", name, attributes={"max_temp": highest}, area="kitchen"
        )

    home = sample_home()
    home = Home(home.floors, home.areas, (climate("a", 25), climate("b", 30)))
    call: dict[str, object] = {
        "service": "climate.set_temperature",
        "target_area": "kitchen",
        "temperature": 28,
    }
    assert [s.targets for s in _steps(call, home)] == [("climate.b",)]
