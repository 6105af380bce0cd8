"""Whatever a model writes, a turn ends and calls only what the home offers."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homellm_edge.agent import Agent, Question, TurnDone
from homellm_edge.engine.scripted import ScriptedEngine
from homellm_edge.language import ACTIONS
from homellm_edge.services import check_call
from homellm_edge.simulate import SimulatedHome
from homes import sample_home

_KEYS = st.sampled_from(
    "service target_device target_area except query reply domain is attribute "
    "brightness brightness_step color volume temperature temperature_step source "
    "hvac_mode rgb_color position x".split()
)
_TEXTS = st.sampled_from(
    [
        "<E1>", "<E2>", "<E9>", "<E0>", "<A1>", "<here>", "all", "<N1>", "+<N1>", "-5",
        "<C1>", "<V1>", "50", "nan", "1e999", "", "state", "count", "list", "any",
        "value", "time", "light", "door", "on", "locked", "heat", "temperature", "stay",
        "light.kitchen", "lock.front_door", "climate.thermostat", "light.pool",
        *(f"{d}.{s}" for d, services in ACTIONS.items() for s in services),
    ]
)  # fmt: skip
_VALUES = st.recursive(
    _TEXTS | st.integers() | st.floats() | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner),
    max_leaves=4,
)
_OBJECTS = st.lists(st.dictionaries(_KEYS, _VALUES, max_size=5), max_size=3)


async def _turn(output: str, prompt_format: str) -> TurnDone:
    engine = ScriptedEngine([output], prompt_format=prompt_format, chunk_size=50)
    agent = Agent(engine, SimulatedHome(sample_home()))
    question = Question("set the kitchen light to 20 and red", area="bedroom")
    events = [event async for event in agent.turn(question)]
    done = events[-1]
    assert isinstance(done, TurnDone)
    return done


@pytest.mark.parametrize("prompt_format", ["grounded", "chatml"])
@settings(max_examples=300, deadline=None)
@given(objects=_OBJECTS)
def test_any_objects(prompt_format: str, objects: list[dict[str, Any]]) -> None:
    lines = "".join(f"{json.dumps(o)}\n" for o in objects)
    done = asyncio.run(_turn(f"```homeassistant\n{lines}```", prompt_format))
    assert done.response
    home = sample_home()
    for call in done.calls:
        assert check_call(home, call.service, call.targets, call.data) == call
        assert call.service not in ("lock.unlock", "cover.toggle")


@pytest.mark.parametrize("prompt_format", ["grounded", "chatml"])
@settings(max_examples=100, deadline=None)
@given(text=st.text(max_size=80))
def test_any_text(prompt_format: str, text: str) -> None:
    done = asyncio.run(_turn(text, prompt_format))
    assert done.calls == ()
    assert done.response or text.strip()
