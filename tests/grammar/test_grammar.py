from __future__ import annotations

import json
import re
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grammar_oracle import GrammarOracle
from homellm_edge.dialects import ChatMLDialect, Situation
from homellm_edge.grammar import gbnf, grounded_grammar, home_grammar
from homellm_edge.grounding import Grounding
from homellm_edge.home import Entity, Home
from homellm_edge.services import Argument, ServiceCall, Span, services_for
from homes import sample_home

_SHARED = settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def _block(**call: object) -> str:
    inside = json.dumps(call)[1:-1]
    return f"Okay.\n```homeassistant\n{{ {inside} }}\n```"


@pytest.mark.parametrize(
    "call",
    [
        {"service": "light.turn_on", "target_device": "light.kitchen"},
        {"service": "light.turn_on", "target_device": "light.kitchen",
         "brightness": 30},
        {"service": "light.turn_on", "target_device": "light.floor_lamp",
         "rgb_color": [255, 0, 10]},
        {"service": "climate.set_temperature", "target_device": "climate.thermostat",
         "temperature": 21.5},
        {"service": "media_player.select_source",
         "target_device": "media_player.speaker", "source": "Line In"},
        {"service": "media_player.volume_set",
         "target_device": "media_player.speaker", "volume_level": 0.35},
    ],
)  # fmt: skip
def test_what_the_home_offers_can_be_said(
    grammar_oracle: GrammarOracle, call: dict[str, object]
) -> None:
    home = sample_home()
    text = _block(**call)
    assert grammar_oracle.accepts(home_grammar(home), text)
    situation = Situation(home, "x", Grounding("x"))
    steps = ChatMLDialect().steps(situation, call)
    assert isinstance(steps[0], ServiceCall)


@pytest.mark.parametrize(
    "call",
    [
        {"service": "light.turn_on", "target_device": "light.pool"},
        {"service": "light.explode", "target_device": "light.kitchen"},
        {"service": "light.turn_on", "target_device": "lock.front_door"},
        {"service": "light.turn_on", "target_device": "light.kitchen",
         "brightness": 300},
        {"service": "climate.set_temperature", "target_device": "climate.thermostat",
         "temperature": 31},
        {"service": "climate.set_temperature", "target_device": "climate.thermostat"},
        {"service": "media_player.select_source",
         "target_device": "media_player.speaker", "source": "Netflix"},
    ],
)  # fmt: skip
def test_what_the_home_does_not_offer_cannot_be_said(
    grammar_oracle: GrammarOracle, call: dict[str, object]
) -> None:
    assert not grammar_oracle.accepts(home_grammar(sample_home()), _block(**call))


def test_policy_and_empty_homes(grammar_oracle: GrammarOracle) -> None:
    unlock = _block(service="lock.unlock", target_device="lock.front_door")
    careful = home_grammar(sample_home(), lambda entity, service: not service.explicit)
    assert grammar_oracle.accepts(home_grammar(sample_home()), unlock)
    assert not grammar_oracle.accepts(careful, unlock)
    assert grammar_oracle.accepts(home_grammar(Home()), "There is nothing here.")
    empty = grounded_grammar(Home(), (), ())
    reply = '```homeassistant\n{"reply": "not_found"}\n```'
    assert grammar_oracle.accepts(empty, reply)


_TEXT = st.text(min_size=1, max_size=12).filter(lambda t: t.strip())


@_SHARED
@given(st.lists(_TEXT, min_size=1, max_size=4))
def test_any_option_text_is_quoted_right(
    grammar_oracle: GrammarOracle, sources: list[str]
) -> None:
    player = Entity("media_player.x", "X", attributes={"source_list": sources})
    grammar = home_grammar(Home(entities=(player,)))
    offered = next(
        s for s in services_for(player) if s.name == "media_player.select_source"
    )
    for choice in offered.arguments[0].choices:
        call = {
            "service": offered.name,
            "target_device": player.entity_id,
            "source": choice,
        }
        inside = json.dumps(call, ensure_ascii=False)[1:-1]
        text = f"Ok.\n```homeassistant\n{{ {inside} }}\n```"
        assert grammar_oracle.accepts(grammar, text)


def _regex(pattern: str) -> re.Pattern[str]:
    """The GBNF of a number as a regular expression, for Python to judge."""
    return re.compile(pattern.replace('"."', "[.]").replace('"', "").replace(" ", ""))


@settings(deadline=None)
@given(st.integers(-3000, 3000), st.integers(0, 4000))
def test_number_patterns_match_exactly_the_range(low: int, size: int) -> None:
    regex = _regex(gbnf.numbers(Span(low, low + size)))
    edges = [low - 1, low, low + size // 2, low + size, low + size + 1, 0, 10, 100]
    for value in edges:
        assert bool(regex.fullmatch(str(value))) == (low <= value <= low + size), value


@settings(deadline=None)
@given(
    st.integers(-120, 120),
    st.integers(0, 150),
    st.integers(1, 3),
    st.decimals(-130, 280, allow_nan=False, places=4),
)
def test_numbers_with_decimals_match_exactly_the_range(
    low: int, size: int, decimals: int, value: Decimal
) -> None:
    high = low + size
    regex = _regex(gbnf.numbers(Span(low, high, decimals)))
    for places in range(4):
        rounded = round(value, places)
        written = f"{rounded:f}"
        wanted = low <= rounded <= high and (places <= decimals or places == 0)
        if size == 0 and places:
            continue  # a single number is written without decimals
        if places and rounded == high:
            continue  # the ends as well
        if rounded in (low, high) and "." in written:
            continue
        if rounded == 0 and written.startswith("-"):
            continue
        assert bool(regex.fullmatch(written)) == wanted, (written, regex.pattern)


def test_numbers_in_steps() -> None:
    def numbers(low: float, high: float, step: float) -> tuple[float, ...] | Span:
        return Argument("x", "number", low, high, step).numbers

    assert numbers(7, 8.5, 0.5) == (7, 7.5, 8, 8.5)
    assert gbnf.numbers((7, 7.5, 8, 8.5)) == '"7" | "8" | "7.5" | "8.5"'
    assert numbers(-0.2, 0.1, 0.1) == (-0.2, -0.1, 0, 0.1)
    assert numbers(3, 9, 1) == Span(3, 9)
    assert numbers(0.5, 3, 1) == (0.5, 1.5, 2.5)
    assert numbers(0, 1000, 10) == tuple(range(0, 1001, 10))
    assert numbers(0, 10_000, 10) == Span(0, 10_000)
    assert numbers(0, 100, 0.1) == Span(0, 100, 1)
    assert numbers(-20.5, 100.5, 0.25) == Span(-20, 100, 2)
    assert len(numbers(0, 0.9, 0.001)) == 91  # type: ignore[arg-type]
    assert numbers(3, 2, 1) == ()
    assert numbers(3, 2, 0.5) == ()
    assert Argument("x", "integer", 0.2, 0.8).numbers == ()
    with pytest.raises(ValueError, match="empty number range"):
        gbnf.numbers(Span(3, 2))
    with pytest.raises(ValueError, match="at least one"):
        gbnf.numbers(())


def test_a_group_never_unlocks(grammar_oracle: GrammarOracle) -> None:
    home = sample_home()
    grammar = grounded_grammar(home, ["lock.front_door"], ["kitchen"], here=True)
    for place in ("<A1>", "<here>", "all"):
        line = json.dumps({"service": "lock.unlock", "target_area": place})
        text = f"```homeassistant\n{line}\n```"
        assert not grammar_oracle.accepts(grammar, text)
    line = json.dumps({"service": "lock.unlock", "target_device": "<E1>"})
    assert grammar_oracle.accepts(grammar, f"```homeassistant\n{line}\n```")
