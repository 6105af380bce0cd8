from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from grammar_oracle import GrammarOracle
from homellm_edge.agent import Agent, Question, TurnDone
from homellm_edge.dialects import Situation
from homellm_edge.engine.scripted import ScriptedEngine
from homellm_edge.grammar import HomeGrammar
from homellm_edge.grounding import Grounder
from homellm_edge.home import Home
from homellm_edge.prompt.chatml import DEFAULT_PERSONA, END, device_line
from homellm_edge.services import check_call, services_for
from homellm_edge.simulate import SimulatedHome
from homellm_edge.speech import REPLIES
from homes import sample_home
from training import TrainingError
from training.data.__main__ import main
from training.data.chatml import compose
from training.data.rows import (
    SIZES,
    Conversation,
    conversation,
    messages_row,
    row,
    sized_home,
)
from training.finetune.formats import FORMATS, Message

BLOCK = re.compile(r"```homeassistant\n(.*)\n```", re.DOTALL)


@lru_cache(maxsize=8)
def _made(seed: int, count: int, size: str = "medium") -> tuple[Conversation, ...]:
    return tuple(
        conversation(random.Random(f"{seed}/{i}"), size, "train") for i in range(count)
    )


def _objects(answer: str) -> list[dict[str, Any]]:
    found = BLOCK.search(answer)
    return [json.loads(line) for line in found[1].split("\n")] if found else []


def _all_objects(made: tuple[Conversation, ...]) -> Iterator[dict[str, Any]]:
    for one in made:
        for turn in one.turns:
            yield from _objects(turn.answer)


def test_a_row_is_what_an_agent_sends_and_gets_back() -> None:
    """Byte for byte, with the turns before; and its calls are those that are made."""
    made = (*_made(1, 150), *_made(2, 60, "small"))
    assert sum(len(one.turns) > 1 for one in made) > 4

    async def replay() -> None:
        for one in made:
            await _replay(one)

    asyncio.run(replay())


async def _replay(made: Conversation) -> None:
    engine = ScriptedEngine([turn.answer for turn in made.turns])
    agent = Agent(engine, SimulatedHome(made.turns[0].situation.home))
    for turn in made.turns:
        asked = turn.situation
        question = Question(
            asked.sentence, asked.area, conversation_id="c", now=asked.now
        )
        events = [event async for event in agent.turn(question)]
        done = events[-1]
        assert isinstance(done, TurnDone)
        assert _expanded(done.calls) == _expanded(turn.calls), asked.sentence
        assert done.response == turn.answer.partition("\n```")[0]
    sent = engine.requests[-1].prompt.text
    assert made.text == f"{sent}{made.turns[-1].answer}{END}\n"


def _expanded(calls: Any) -> set[tuple[str, str, str]]:
    return {
        (c.service, t, repr(sorted(c.data.items()))) for c in calls for t in c.targets
    }


@pytest.mark.parametrize(("size", "count"), [("small", 120), ("medium", 120)])
def test_every_answer_is_in_the_grammar_of_its_home(
    grammar_oracle: GrammarOracle, size: str, count: int
) -> None:
    with_calls = 0
    for made in _made(3, count, size):
        grammar = HomeGrammar().text(made.home)
        for turn in made.turns:
            with_calls += "```" in turn.answer
            assert grammar_oracle.accepts(grammar, turn.answer), turn.answer
    assert with_calls > count / 3


def test_every_call_passes_the_check_of_its_home() -> None:
    checked = 0
    for made in _made(4, 250):
        for turn in made.turns:
            for call in turn.calls:
                again = check_call(made.home, call.service, call.targets, call.data)
                assert again == call
                checked += 1
    assert checked > 120


def test_what_the_seed_left_out_is_there() -> None:
    made = _made(1, 150) + _made(4, 250)
    objects = list(_all_objects(made))
    assert any("target_area" in o for o in objects)
    assert any(isinstance(o.get("target_device"), list) for o in objects)
    assert any(len(_objects(c.turns[-1].answer)) > 1 for c in made)
    assert any(len(c.turns) > 1 for c in made)
    answers = {c.turns[-1].answer for c in made}
    assert {REPLIES[k] for k in ("not_found", "unclear", "unable", "stay")} <= answers
    kinds = {c.kind for c in made}
    assert kinds >= {"single", "grouped", "state_question", "scope_question", "several"}


def test_services_are_those_of_home_assistant() -> None:
    services = {o["service"] for o in _all_objects(_made(1, 150) + _made(4, 250))}
    assert services & {"cover.open_cover", "cover.close_cover"}
    assert not services & {"cover.open", "cover.close", "cover.stop"}


def test_the_system_text_is_that_of_run_time() -> None:
    for made in _made(3, 30, "small"):
        system = FORMATS["chatml"].parse(made.text)[0]
        services = sorted({s.name for e in made.home.entities for s in services_for(e)})
        assert system == Message(
            "system",
            f"{DEFAULT_PERSONA}\nServices: {', '.join(services)}\nDevices:\n"
            + "".join(device_line(e) for e in made.home.entities),
        )


def test_messages_hold_the_same_as_the_text() -> None:
    for made in _made(4, 40):
        messages = messages_row(made.text)["messages"]
        roles = [m["role"] for m in messages]
        assert roles == ["system", *["user", "assistant"] * len(made.turns)]
        again = [Message(m["role"], m["content"]) for m in messages]
        assert FORMATS["chatml"].render(again).text == made.text


@pytest.mark.parametrize("size", SIZES)
def test_homes_have_their_size(size: str) -> None:
    low, high = SIZES[size]
    rng = random.Random(1)
    counts = [len(sized_home(rng, size, "train").entities) for _ in range(30)]
    assert low <= min(counts) <= max(counts) <= high
    assert max(counts) - min(counts) > (high - low) / 2


def _composed(
    text: str,
    *wanted: dict[str, Any],
    here: str | None = None,
    home: Home | None = None,
) -> str | None:
    home = home or sample_home()
    found = Grounder(home).ground(text, here)
    made = compose(Situation(home, text, found, here), wanted)
    return made.text if made else None


def test_an_area_is_called_by_its_id_and_spoken_of_by_its_name() -> None:
    off = {"service": "light.turn_off", "place": "kitchen"}
    assert _composed("turn off the kitchen lights", off) == (
        "Turned off the Kitchen lights.\n```homeassistant\n"
        '{ "service": "light.turn_off", "target_area": "kitchen" }\n```'
    )


def test_the_same_for_several_devices_is_one_call() -> None:
    on = [
        {"service": "light.turn_on", "device": d}
        for d in ("light.zorblatt", "light.floor_lamp")
    ]
    assert _composed("turn on the zorblatt and the floor lamp", *on) == (
        "Turned on the Zorblatt and the Floor Lamp.\n```homeassistant\n"
        '{ "service": "light.turn_on", '
        '"target_device": ["light.zorblatt", "light.floor_lamp"] }\n```'
    )


def test_arguments_have_the_names_and_units_of_the_home_language() -> None:
    dim = {"service": "light.turn_on", "device": "light.zorblatt"}
    answer = _composed("dim the zorblatt to 30 percent", dim | {"brightness": ("", 30)})
    assert answer
    assert answer.endswith('"light.zorblatt", "brightness": 30 }\n```')
    loud = {"service": "media_player.volume_set", "device": "media_player.speaker"}
    answer = _composed("speaker volume to 25 percent", loud | {"volume": ("", 25)})
    assert answer
    assert '"volume_level": 0.25 }' in answer
    heat = {"service": "climate.set_temperature", "device": "climate.thermostat"}
    answer = _composed("thermostat to 21.5", heat | {"temperature": ("", 21.5)})
    assert answer
    assert '"temperature": 21.5 }' in answer


def test_nothing_is_taught_that_the_prompt_does_not_show() -> None:
    home = sample_home()
    more = {"service": "light.turn_on", "place": "kitchen"}
    step = more | {"brightness_step": ("+", 10)}
    assert _composed("kitchen lights ten percent brighter", step) is None
    everything = {"service": "homeassistant.turn_off", "place": "kitchen"}
    assert _composed("turn everything in the kitchen off", everything) is None
    spared = {
        "service": "light.turn_off",
        "place": "kitchen",
        "except": "light.kitchen",
    }
    said = "turn off the lights in the kitchen except the kitchen light"
    assert _composed(said, spared) is None
    there = {"service": "light.turn_on", "device": "light.zorblatt"}
    assert _composed("turn on the zorblatt in the bedroom", there) is None
    asked = {"query": "any", "domain": "light", "place": "kitchen", "is": "on"}
    assert _composed("is any light on in the kitchen", asked) is None
    named = tuple(
        dataclasses.replace(e, aliases=("moon",)) if e.name == "Zorblatt" else e
        for e in home.entities
    )
    home = dataclasses.replace(home, entities=named)
    assert _composed("turn on the moon", there, home=home) is None
    assert _composed("turn on the zorblatt", there, home=home)


def test_what_would_be_asked_back_or_has_no_target_is_left_out() -> None:
    unlock = {"service": "lock.unlock", "device": "lock.front_door"}
    assert _composed("unlock the front door", unlock)
    assert _composed("let the front door be", unlock) is None
    item = {"service": "todo.add_item", "list": "shopping", "item": "milk"}
    assert _composed("add milk to the shopping list", item) is None


def _written(folder: Path, *flags: str) -> bytes:
    main(["--sample", "--count", "12", "--out", str(folder), *flags])
    return (folder / "sample.jsonl").read_bytes()


@pytest.mark.parametrize("form", ["chatml", "messages", "grounded"])
def test_a_seed_gives_the_same_bytes(tmp_path: Path, form: str) -> None:
    first = _written(tmp_path / "a", "--format", form)
    assert first == _written(tmp_path / "b", "--format", form, "--seed", "42")
    assert first != _written(tmp_path / "c", "--format", form, "--seed", "43")
    keys = {"chatml": ["text"], "messages": ["messages"]}.get(
        form, ["prompt", "answer"]
    )
    rows = [json.loads(line) for line in first.decode().splitlines()]
    assert [list(one) for one in rows] == [keys] * 12
    assert {p.name for p in (tmp_path / "a").iterdir()} == {"sample.jsonl"}


def test_another_process_writes_the_same_bytes(tmp_path: Path) -> None:
    """Nothing hangs on the order of a set, which changes from process to process."""
    command = [sys.executable, "-m", "training.data", "--sample", "--count", "40"]
    found = set()
    for seed in ("1", "2"):
        folder = tmp_path / seed
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(
            [*command, "--out", str(folder)],
            env=environment,
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == f"{folder / 'sample.jsonl'}\n"
        found.add((folder / "sample.jsonl").read_bytes())
    assert len(found) == 1


def test_train_and_test_differ_and_say_where_they_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(
        ["--train", "--test", "--count", "3", "--size", "small", "--out", str(tmp_path)]
    )
    told = capsys.readouterr()
    paths = [Path(line) for line in told.out.splitlines()]
    assert [p.name for p in paths] == ["train.jsonl", "test.jsonl"]
    assert "train: 3 rows" in told.err
    train, test = (p.read_text(encoding="utf-8") for p in paths)
    assert not set(train.splitlines()) & set(test.splitlines())
    assert json.loads(train.splitlines()[1]) == row("chatml", "train", 42, 1, "small")
    assert json.loads(test.splitlines()[1]) == row("chatml", "test", 12345, 1, "small")


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--sample", "--language", "xx"], "composed in 'xx'; use one of en"),
        ([], "add --sample, --train or --test"),
        (["--merge", "x.json", "--format", "grounded"], "merge them in chatml"),
    ],
)
def test_what_cannot_be_made_is_said(
    tmp_path: Path, flags: list[str], told: str
) -> None:
    with pytest.raises(TrainingError, match=re.escape(told)):
        main([*flags, "--out", str(tmp_path / "new")])
    assert not (tmp_path / "new").exists()


def test_a_count_is_positive(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--sample", "--count", "0"])
    assert "'0' is no number of rows" in capsys.readouterr().err
