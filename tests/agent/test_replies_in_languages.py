"""A turn is answered in the language of its question."""

from __future__ import annotations

import json
from typing import Any

import pytest

from homellm_edge.agent import Agent, Question, TurnDone
from homellm_edge.engine.scripted import ScriptedEngine
from homellm_edge.simulate import SimulatedHome
from homes import sample_home


async def _told(language: str, sentence: str, line: dict[str, Any]) -> TurnDone:
    output = f"```homeassistant\n{json.dumps(line)}\n```"
    engine = ScriptedEngine([output], prompt_format="grounded")
    agent = Agent(engine, SimulatedHome(sample_home()))
    question = Question(sentence, language=language)
    done = [event async for event in agent.turn(question)][-1]
    assert isinstance(done, TurnDone)
    return done


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("de-DE", "Kitchen Light eingeschaltet."),
        ("fr", "Kitchen Light allumé."),
        ("es", "Kitchen Light encendido."),
        ("pl", "Kitchen Light włączony."),
        ("pt", "Turned on the Kitchen Light."),
    ],
)
async def test_a_call(language: str, told: str) -> None:
    line = {"service": "light.turn_on", "target_device": "<E1>"}
    assert (await _told(language, "kitchen light", line)).response == told


async def test_questions_replies_and_asking_back() -> None:
    state = {"query": "state", "target_device": "<E1>", "is": "locked"}
    done = await _told("de", "front door", state)
    assert done.response == "Ja, Front Door ist abgeschlossen."
    done = await _told("fr", "merci", {"reply": "thanks"})
    assert done.response == "Je vous en prie."
    unlock = {"service": "lock.unlock", "target_device": "<E1>"}
    done = await _told("de", "front door", unlock)
    assert done.response == "Soll ich wirklich aufschließen: Front Door?"
    assert done.continue_conversation
    broken = {"service": "light.turn_on", "target_device": "<E9>"}
    done = await _told("es", "front door", broken)
    assert done.response == "Lo siento, no es posible."
