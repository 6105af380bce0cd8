from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest

from homellm_edge.agent import (
    LIVE_SECONDS,
    Agent,
    AgentEvent,
    CallDone,
    Question,
    SpeechDelta,
    TurnDone,
)
from homellm_edge.engine.base import Request
from homellm_edge.engine.scripted import ScriptedEngine
from homellm_edge.errors import ModelError, SentenceError
from homellm_edge.execute import CallResult
from homellm_edge.services import ServiceCall
from homellm_edge.simulate import SimulatedHome
from homes import sample_home


def _grounded(*lines: dict[str, Any]) -> str:
    return "```homeassistant\n" + "".join(f"{json.dumps(x)}\n" for x in lines) + "```"


def _agent(outputs: Sequence[str], prompt_format: str = "grounded") -> Agent:
    engine = ScriptedEngine(list(outputs), prompt_format=prompt_format)
    return Agent(engine, SimulatedHome(sample_home()))


async def _events(agent: Agent, text: str, **fields: Any) -> list[AgentEvent]:
    return [event async for event in agent.turn(Question(text, **fields))]


async def _done(agent: Agent, text: str, **fields: Any) -> TurnDone:
    events = await _events(agent, text, **fields)
    done = events[-1]
    assert isinstance(done, TurnDone)
    spoken = "".join(e.text for e in events if isinstance(e, SpeechDelta))
    assert done.response == spoken.strip()
    return done


def _called(done: TurnDone) -> list[dict[str, Any]]:
    return [call.to_dict() for call in done.calls]


async def test_a_call_is_carried_out_and_told() -> None:
    agent = _agent([_grounded({"service": "light.turn_on", "target_device": "<E1>"})])
    done = await _done(agent, "turn on the kitchen light")
    assert _called(done) == [
        {"service": "light.turn_on", "target_device": "light.kitchen"}
    ]
    assert done.response == "Turned on the Kitchen Light."
    assert not done.continue_conversation


@pytest.mark.parametrize(
    ("sentence", "line", "expected"),
    [
        (
            "dim the kitchen light to 30 percent",
            {"service": "light.turn_on", "target_device": "<E1>", "brightness": "<N1>"},
            {"target_device": "light.kitchen", "brightness_pct": 30},
        ),
        (
            "make the counter spots brighter",
            {"service": "light.turn_on", "target_device": "<E1>",
             "brightness_step": "+20"},
            {"target_device": "light.counter", "brightness_pct": 70},
        ),
        (
            "make the thermostat two degrees warmer",
            {"service": "climate.set_temperature", "target_device": "<E1>",
             "temperature_step": "+<N1>"},
            {"target_device": "climate.thermostat", "temperature": 22},
        ),
        (
            "turn up the thermostat by 20 degrees",
            {"service": "climate.set_temperature", "target_device": "<E1>",
             "temperature_step": "+<N1>"},
            {"target_device": "climate.thermostat", "temperature": 30},
        ),
        (
            "speaker volume to 35",
            {"service": "media_player.volume_set", "target_device": "<E1>",
             "volume": "<N1>"},
            {"target_device": "media_player.speaker", "volume_level": 0.35},
        ),
        (
            "floor lamp red please",
            {"service": "light.turn_on", "target_device": "<E1>", "color": "<C1>"},
            {"target_device": "light.floor_lamp", "rgb_color": [255, 0, 0]},
        ),
        (
            "living room speaker to line in",
            {"service": "media_player.select_source", "target_device": "<E1>",
             "source": "<V1>"},
            {"target_device": "media_player.speaker", "source": "Line In"},
        ),
    ],
)  # fmt: skip
async def test_arguments_are_expanded_from_sentence_and_states(
    sentence: str, line: dict[str, Any], expected: dict[str, Any]
) -> None:
    done = await _done(_agent([_grounded(line)]), sentence)
    call = _called(done)[0]
    assert {k: v for k, v in call.items() if k != "service"} == expected


async def test_a_group_reaches_its_members_but_not_the_spared_one() -> None:
    line = {"service": "light.turn_off", "target_area": "all", "except": "<E1>"}
    done = await _done(_agent([_grounded(line)]), "all lights off zorblatt stays")
    targets = _called(done)[0]["target_device"]
    assert set(targets) == {"light.kitchen", "light.counter", "light.floor_lamp"}


async def test_everything_off_neither_unlocks_nor_opens() -> None:
    line = {"service": "homeassistant.turn_off", "target_area": "all"}
    done = await _done(_agent([_grounded(line)]), "turn everything off")
    domains = {call["service"].split(".")[0] for call in _called(done)}
    assert domains == {"light", "fan", "media_player", "switch"}


async def test_here_is_the_area_of_the_speaker() -> None:
    line = {"service": "light.turn_on", "target_area": "<here>"}
    done = await _done(_agent([_grounded(line)]), "too dark in here", area="bedroom")
    assert _called(done)[0]["target_device"] == "light.zorblatt"


UNLOCK = {"service": "lock.unlock", "target_device": "<E1>"}


async def test_unlocking_by_name_is_done_at_once() -> None:
    done = await _done(_agent([_grounded(UNLOCK)]), "unlock the front door")
    assert _called(done)[0]["service"] == "lock.unlock"


@pytest.mark.parametrize(
    "sentence",
    ["let the dog out through the front door", "do not unlock the front door",
     "the front door"],
)  # fmt: skip
async def test_unlocking_otherwise_is_asked_back_and_done_on_yes(sentence: str) -> None:
    agent = _agent([_grounded(UNLOCK), _grounded({"reply": "stay"})])
    first = await _done(agent, sentence, conversation_id="c")
    assert first.calls == ()
    assert first.continue_conversation
    assert first.response == "Do you really want me to unlock the Front Door?"
    second = await _done(agent, "yes please", conversation_id="c")
    assert _called(second)[0]["service"] == "lock.unlock"


async def test_a_confirmation_is_asked_once_and_only_in_its_conversation() -> None:
    outputs = [_grounded(UNLOCK), *[_grounded({"reply": "stay"})] * 3]
    agent = _agent(outputs)
    await _done(agent, "let the dog out of the front door", conversation_id="c")
    other = await _done(agent, "yes", conversation_id="d")
    assert other.calls == ()
    refused = await _done(agent, "no", conversation_id="c")
    assert refused.calls == ()
    late = await _done(agent, "yes", conversation_id="c")
    assert late.calls == ()


async def test_a_pronoun_is_not_an_explicit_request() -> None:
    question = {"query": "state", "target_device": "<E1>"}
    agent = _agent([_grounded(question), _grounded(UNLOCK)])
    await _done(agent, "is the front door locked", conversation_id="c")
    done = await _done(agent, "unlock it", conversation_id="c")
    assert done.calls == ()


@pytest.mark.parametrize(
    ("sentence", "line", "reply"),
    [
        (
            "is the front door locked?",
            {"query": "state", "target_device": "<E1>", "is": "locked"},
            "Yes, the Front Door is locked.",
        ),
        (
            "is the front door open?",
            {"query": "state", "target_device": "<E1>", "is": "unlocked"},
            "No, the Front Door is locked.",
        ),
        (
            "how many lights are on",
            {"query": "count", "domain": "light", "target_area": "all", "is": "on"},
            "1 light is on.",
        ),
        (
            "which lights are off in the kitchen",
            {"query": "list", "domain": "light", "target_area": "<A1>", "is": "off"},
            "The Kitchen Light is off.",
        ),
        (
            "are all lights on in the kitchen",
            {"query": "all", "domain": "light", "target_area": "<A1>", "is": "on"},
            "No, the Kitchen Light is not on.",
        ),
        (
            "how warm is it in the bedroom",
            {"query": "value", "attribute": "temperature", "target_area": "<A1>"},
            "The Bedroom Temperature is 18.5 °C.",
        ),
        (
            "how warm is it in the living room",
            {"query": "value", "attribute": "temperature", "target_area": "<A1>"},
            "The temperature of the Thermostat is 19.5 degrees.",
        ),
        ("what time is it", {"query": "time"}, "It is 07:05."),
        ("make me rich", {"reply": "chat"}, "Sorry, I can only help with the devices"),
    ],
)
async def test_questions_are_computed_from_the_states(
    sentence: str, line: dict[str, Any], reply: str
) -> None:
    now = datetime(2026, 1, 1, 7, 5)
    done = await _done(_agent([_grounded(line)]), sentence, now=now)
    assert done.calls == ()
    assert done.response.startswith(reply)


@pytest.mark.parametrize(
    "output",
    [
        "", "garbage", "```homeassistant\n{]\n```",
        _grounded({"service": "light.turn_on", "target_device": "<E9>"}),
        _grounded({"service": "light.turn_on", "target_device": "lock.front_door"}),
        _grounded({"service": "vacuum.start", "target_area": "all"}),
        _grounded({"query": "state", "target_device": "<E7>"}),
        _grounded({"whatever": 1}),
    ],
)  # fmt: skip
async def test_bad_output_calls_nothing_and_says_so(output: str) -> None:
    done = await _done(_agent([output]), "turn on the kitchen light")
    assert done.calls == ()
    assert done.response.startswith("Sorry")


class _Broken(SimulatedHome):
    async def execute(self, call: ServiceCall) -> CallResult:
        return CallResult(call, "the bulb is unreachable")


async def test_a_failed_call_is_told_as_failed() -> None:
    line = _grounded({"service": "light.turn_on", "target_device": "<E1>"})
    engine = ScriptedEngine([line], prompt_format="grounded")
    agent = Agent(engine, _Broken(sample_home()))
    events = await _events(agent, "turn on the kitchen light")
    assert isinstance(events[0], CallDone)
    done = events[-1]
    assert isinstance(done, TurnDone)
    assert done.calls == ()
    assert "did not work" in done.response
    assert "Turned on" not in done.response


async def test_the_seed_form_with_real_ids() -> None:
    call = {"service": "light.turn_on", "target_device": "light.kitchen"}
    output = f"Here you go.\n```homeassistant\n{json.dumps(call)}\n```"
    done = await _done(_agent([output], "chatml"), "light please")
    assert done.response == "Here you go."
    assert _called(done) == [call]


async def test_a_seed_model_cannot_unlock_on_a_hint() -> None:
    call = {"service": "lock.unlock", "target_device": "lock.front_door"}
    output = f"Opening.\n```homeassistant\n{json.dumps(call)}\n```"
    done = await _done(_agent([output], "chatml"), "somebody is at the door")
    assert done.calls == ()
    assert "Do you really want me to unlock" in done.response


async def test_history_reaches_a_chat_model_and_can_be_forgotten() -> None:
    seen: list[Request] = []

    def output(request: Request) -> str:
        seen.append(request)
        return "Fine."

    engine = ScriptedEngine(output, prompt_format="chatml")
    agent = Agent(engine, SimulatedHome(sample_home()))
    await _done(agent, "first thing", conversation_id="c")
    await _done(agent, "second thing", conversation_id="c")
    assert "first thing" in seen[1].prompt.turns[0].asked
    agent.forget("c")
    await _done(agent, "third thing", conversation_id="c")
    assert "second thing" not in seen[2].prompt.text


async def test_a_turn_is_remembered_as_it_was_written() -> None:
    outputs = ['On it.\n```homeassistant\n{"service": "light.turn_on", "target_device": "light.kitchen"}\n```', "No.", "Yes."]  # fmt: skip  # noqa: E501
    engine = ScriptedEngine(outputs, prompt_format="chatml")
    agent = Agent(engine, SimulatedHome(sample_home()))
    for text in ("kitchen light on", "and now?", "really?"):
        await _done(agent, text, conversation_id="c")
    first, second, third = (request.prompt for request in engine.requests)
    assert second.turns[0].asked == first.question
    assert second.turns[0].answered == f"{outputs[0]}<|im_end|>\n"
    assert third.turns[:1] == second.turns
    assert third.turns[1].asked == second.question


async def test_a_refresh_holds_the_conversation_that_may_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = ScriptedEngine(["Fine.", "Fine."], prompt_format="chatml")
    agent = Agent(engine, SimulatedHome(sample_home()))
    await agent.refresh()
    assert engine.refreshed[-1].turns == ()
    await _done(agent, "first thing", conversation_id="a")
    await _done(agent, "other thing", conversation_id="b")
    await agent.refresh()
    (turn,) = engine.refreshed[-1].turns
    assert "other thing" in turn.asked
    assert engine.refreshed[-1].blocks == engine.requests[-1].prompt.blocks
    now = time.monotonic() + LIVE_SECONDS + 1
    monkeypatch.setattr("homellm_edge.agent.time.monotonic", lambda: now)
    await agent.refresh()
    assert engine.refreshed[-1].turns == ()


async def test_what_is_told_beside_the_model_is_remembered_too() -> None:
    call = '{"service": "light.turn_on", "target_device": "light.no"}'
    bad = f"```homeassistant\n{call}\n```"
    engine = ScriptedEngine([bad, "Fine."], prompt_format="chatml")
    agent = Agent(engine, SimulatedHome(sample_home()))
    done = await _done(agent, "light on", conversation_id="c")
    await _done(agent, "why?", conversation_id="c")
    assert done.response.startswith("Sorry")
    answered = engine.requests[1].prompt.turns[0].answered
    assert answered == f"{bad}\n{done.response}<|im_end|>\n"


@pytest.mark.parametrize("text", ["", "   ", "?!", "a" * 10000])
async def test_an_empty_or_endless_sentence_is_refused(text: str) -> None:
    agent = _agent(["x"])
    with pytest.raises(SentenceError):
        await _done(agent, text)


async def test_an_unknown_prompt_format_is_named() -> None:
    with pytest.raises(ModelError, match="'klingon'"):
        await _done(_agent(["x"], "klingon"), "hello")


async def test_two_turns_at_once_do_not_mix() -> None:
    line = _grounded({"service": "light.turn_on", "target_device": "<E1>"})
    agent = _agent([line, line])
    first, second = await asyncio.gather(
        _done(agent, "kitchen light on"), _done(agent, "zorblatt on")
    )
    found = {_called(first)[0]["target_device"], _called(second)[0]["target_device"]}
    assert found == {"light.kitchen", "light.zorblatt"}


async def test_undo_brings_back_what_was_before() -> None:
    on = {"service": "light.turn_on", "target_device": "<E1>", "brightness": "<N1>"}
    agent = _agent([_grounded(on), _grounded({"reply": "undo"})])
    before = agent._executor.home().entity("light.kitchen")
    await _done(agent, "dim the kitchen light to 30 percent", conversation_id="c")
    done = await _done(agent, "undo that", conversation_id="c")
    after = agent._executor.home().entity("light.kitchen")
    assert done.calls
    assert before is not None
    assert after is not None
    assert after.state == before.state


async def test_undo_asks_before_it_opens_the_house() -> None:
    lock = {"service": "lock.lock", "target_device": "<E1>"}
    agent = _agent([_grounded(lock), _grounded({"reply": "undo"})])
    home = agent._executor
    assert isinstance(home, SimulatedHome)
    home.set_state("lock.front_door", "unlocked")
    await _done(agent, "lock the front door", conversation_id="c")
    done = await _done(agent, "undo that", conversation_id="c")
    assert done.calls == ()
    assert done.continue_conversation
    assert (await _done(agent, "yes", conversation_id="c")).calls


async def test_undo_without_anything_done_says_so() -> None:
    agent = _agent([_grounded({"reply": "undo"})])
    done = await _done(agent, "undo that", conversation_id="c")
    assert done.response == "Sorry, there is nothing that I could undo."


async def test_commands_with_verbs_of_their_own_are_asked_one_by_one() -> None:
    on = {"service": "light.turn_on", "target_device": "<E1>"}
    lock = {"service": "lock.lock", "target_device": "<E1>"}
    agent = _agent([_grounded(on), _grounded(lock)])
    done = await _done(agent, "turn on the kitchen light and lock the front door")
    assert [c["target_device"] for c in _called(done)] == [
        "light.kitchen",
        "lock.front_door",
    ]


async def test_what_is_excluded_is_spared_whatever_the_model_says() -> None:
    everything = {"service": "light.turn_off", "target_area": "all"}
    agent = _agent([_grounded(everything)] * 3)
    done = await _done(agent, "turn off all the lights except the kitchen light")
    targets = {t for call in done.calls for t in call.targets}
    assert targets
    assert "light.kitchen" not in targets
    done = await _done(agent, "turn off all the lights but not in the kitchen")
    home = agent._executor.home()
    spared = {e.entity_id for e in home.members("kitchen")}
    assert spared.isdisjoint(t for call in done.calls for t in call.targets)


async def test_nothing_is_done_when_the_exclusion_is_not_understood() -> None:
    everything = {"service": "light.turn_off", "target_area": "all"}
    agent = _agent([_grounded(everything)])
    done = await _done(agent, "turn off all the lights except the piano")
    assert done.calls == ()
    assert done.response == "Sorry, I could not find that device."


async def test_a_guessed_word_never_opens_the_house() -> None:
    unlock = {"service": "lock.unlock", "target_device": "<E1>"}
    agent = _agent([_grounded(unlock)] * 2)
    done = await _done(agent, "unlokc the front door")
    assert done.calls == ()
    assert done.continue_conversation
    assert (await _done(agent, "unlock the front door")).calls


async def test_what_is_excluded_is_not_counted_either() -> None:
    count = {"query": "count", "domain": "light", "target_area": "all", "is": "on"}
    agent = _agent([_grounded(count)])
    done = await _done(agent, "how many lights are on except the kitchen light")
    assert "light.kitchen" not in done.queries[0]["target_device"]
