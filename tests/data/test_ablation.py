"""Conditions without a language model, and the table that sets them beside it."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from homellm_edge.agent import Agent, Question, TurnDone
from homellm_edge.dialects import GroundedDialect, Situation
from homellm_edge.dialects.base import PromptOptions
from homellm_edge.engine.base import Backend, Request, Usage
from homellm_edge.engine.scripted import ScriptedEngine
from homellm_edge.grammar.automaton import compile_grammar
from homellm_edge.grounding import Grounder, Grounding
from homellm_edge.home import Home
from homellm_edge.meaning import possible
from homellm_edge.phrases.labels import labels
from homellm_edge.simulate import SimulatedHome
from homes import DATA, sample_home
from training import TrainingError, ablation
from training.ablation import Likeliest, Setting, main, predictions, put_into
from training.cases import grouped
from training.data.homes import random_home
from training.data.scene import Scene
from training.data.sentences import say
from training.judging import judge
from training.rules import RuleBackend, lines_of, output, read


class _Means:
    """Ranks one meaning first."""

    def __init__(self, label: str) -> None:
        self._label = label

    def meanings(self, found: Grounding, home: Home) -> list[tuple[str, float]]:
        return [(self._label, 0.1), ("reply chat", 0.05)] if self._label else []


RULES: list[tuple[str, str, list[dict[str, str]]]] = [
    ("light.turn_on", "turn on the <A1> <E1>= light lamp",
     [{"service": "light.turn_on", "target_device": "<E1>"}]),
    ("light.turn_off", "turn off the <E1>= light lamp and the <E2>~ switch plug",
     [{"service": "light.turn_off", "target_device": "<E1>"},
      {"service": "switch.turn_off", "target_device": "<E2>"}]),
    ("switch.turn_off", "turn off the <E1>? light <E2>? switch thing",
     [{"service": "switch.turn_off", "target_device": "<E2>"}]),
    ("cover.close_cover", "close the <E1>? cover blind <E2>? cover blind blinds",
     [{"service": "cover.close_cover", "target_device": "<E1>"}]),
    ("light.turn_off", "<here> turn off the <A1> and <A2> lights",
     [{"service": "light.turn_off", "target_area": "<A1>"},
      {"service": "light.turn_off", "target_area": "<A2>"}]),
    ("light.turn_off", "<here> lights off",
     [{"service": "light.turn_off", "target_area": "<here>"}]),
    ("light.turn_off", "all lights off except the <E1>= light lamp",
     [{"service": "light.turn_off", "target_area": "all", "except": "<E1>"}]),
    ("light.turn_off", "lights off", []),
    ("homeassistant.turn_off", "everything off",
     [{"service": "homeassistant.turn_off", "target_area": "all"}]),
    ("lock.unlock", "unlock all doors", []),
    ("scene.turn_on", "<here> make it cosy", []),
    ("light.turn_on:color+brightness", "make <E1>= light <C1> at <N1> not <N2>",
     [{"service": "light.turn_on", "target_device": "<E1>", "color": "<C1>",
       "brightness": "<N1>"}]),
    ("light.turn_on:brightness", "dim the <E1>= light", []),
    ("light.turn_on:brightness_step=-N", "dim <E1>= light by <N1>",
     [{"service": "light.turn_on", "target_device": "<E1>",
       "brightness_step": "-<N1>"}]),
    ("cover.set_cover_position:position_step=+20", "<E1>= cover blind a bit more",
     [{"service": "cover.set_cover_position", "target_device": "<E1>",
       "position_step": "+20"}]),
    ("media_player.select_source:source", "<V1> source on the <E1>= media player tv",
     [{"service": "media_player.select_source", "target_device": "<E1>",
       "source": "<V1>"}]),
    ("timer.start:duration", "set a timer for <D1>",
     [{"service": "timer.start", "target_timer": "new", "duration": "<D1>"}]),
    ("timer.start:duration+name", "<D1> for the <T1> eggs",
     [{"service": "timer.start", "target_timer": "<T1>", "duration": "<D1>"}]),
    ("timer.start:duration", "start the <E1>= timer for <D1>",
     [{"service": "timer.start", "target_device": "<E1>", "duration": "<D1>"}]),
    ("timer.increase:duration", "<D1> more",
     [{"service": "timer.increase", "target_timer": "the", "duration": "<D1>"}]),
    ("timer.cancel", "cancel the <D1> timer",
     [{"service": "timer.cancel", "target_timer": "<D1>"}]),
    ("timer.cancel_all", "stop all timers",
     [{"service": "timer.cancel_all", "target_timer": "all"}]),
    ("todo.add_item:item", "put <T1> milk on the shopping list",
     [{"service": "todo.add_item", "target_list": "shopping", "item": "<T1>"}]),
    ("todo.add_item:item", "put <T1> milk on the <E1>= todo list",
     [{"service": "todo.add_item", "target_device": "<E1>", "item": "<T1>"}]),
    ("later", "lights off in <D1>",
     [{"service": "timer.start", "target_timer": "later", "duration": "<D1>"}]),
    ("yes_no", "is the <E1>= lock door not locked",
     [{"query": "state", "target_device": "<E1>", "is": "unlocked"}]),
    ("open_state", "and the <E1>= alarm control panel alarm",
     [{"query": "state", "target_device": "<E1>"}]),
    ("value humidity", "how damp is it",
     [{"query": "value", "attribute": "humidity", "target_area": "all"}]),
    ("value battery", "charge of the <E1>= vacuum",
     [{"query": "state", "target_device": "<E1>", "attribute": "battery"}]),
    ("value battery", "charge of the <E1>= sensor battery",
     [{"query": "state", "target_device": "<E1>"}]),
    ("scope count", "how many windows are open in the <A1>",
     [{"query": "count", "domain": "window", "target_area": "<A1>", "is": "open"}]),
    ("sensed motion", "<here> is anybody moving",
     [{"query": "any", "domain": "motion", "target_area": "<here>",
       "is": "detected"}]),
    ("query person_away", "has <E1>= person left",
     [{"query": "state", "target_device": "<E1>", "is": "away"}]),
    ("query who_home", "who is in",
     [{"query": "list", "domain": "person", "target_area": "all", "is": "home"}]),
    ("query weather week", "weather this week",
     [{"query": "weather", "when": "week"}]),
    ("query events next", "next in my <E1>= calendar",
     [{"query": "events", "when": "next", "target_device": "<E1>"}]),
    ("query has_item", "is there <T1> milk on the list",
     [{"query": "has_item", "target_list": "any", "item": "<T1>"}]),
    ("query timer", "how long", [{"query": "timer", "target_timer": "the"}]),
    ("query sunset", "when does it get dark", [{"query": "sunset"}]),
    ("query undo", "no take that back", [{"reply": "undo"}]),
    ("negation", "dont", [{"reply": "stay"}]),
    ("reply thanks", "cheers", [{"reply": "thanks"}]),
]  # fmt: skip


@pytest.mark.parametrize(("label", "text", "lines"), RULES)
def test_rules(label: str, text: str, lines: list[dict[str, str]]) -> None:
    tail = "<|im_end|>\n<|im_start|>assistant\n"
    question = f"<~{label}>~ <~reply chat>? {text}{tail}"
    assert lines_of(read(question)) == lines


def test_without_a_hint_the_rules_ask_back() -> None:
    assert output(read("do the thing")) == (
        '```homeassistant\n{"reply": "unclear"}\n```'
    )


def _generated(request: Request) -> str:
    async def read_all() -> bytes:
        parts = [part async for part in RuleBackend().generate(request, Usage())]
        return b"".join(parts)

    return asyncio.run(read_all()).decode()


def test_what_the_rules_write_is_what_a_model_may_write() -> None:
    """For sentences of random homes and all that they may mean there."""
    rng = random.Random(5)
    written = set()
    sentences = fits = 0
    while sentences < 40:
        scene = Scene(rng, random_home(rng, "held_out"), "held_out")
        said = say(scene) if scene.home.entities else None
        if said is None:
            continue
        sentences += 1
        home = scene.home
        found = Grounder(home).ground(said.text, said.here)
        automaton = None
        for label in rng.sample(labels(), 60):
            ranked = possible([(label, 1.0)], found, home)
            hints = [(name, "?") for name, _ in ranked]
            situation = Situation(home, said.text, found, hints=hints)
            request = GroundedDialect().request(situation, PromptOptions())
            automaton = automaton or compile_grammar(request.grammar or "")
            text = output(read(request.prompt.question))
            fits += automaton.match(text.encode())
            text = _generated(request)
            assert automaton.match(text.encode()), (found.text, label, text)
            written.add(text)
    assert len(written) > 100
    # The rest are questions to commands and the like.
    assert fits > 0.5 * 60 * sentences


async def test_a_turn_needs_no_model() -> None:
    home = sample_home()
    hints = Likeliest(_Means("light.turn_off"))
    agent = Agent(RuleBackend(), SimulatedHome(home), hints=hints)
    events = [e async for e in agent.turn(Question("counter spots off please"))]
    done = events[-1]
    assert isinstance(done, TurnDone)
    assert [c.to_dict() for c in done.calls] == [
        {"service": "light.turn_off", "target_device": "light.counter"}
    ]


def test_the_likeliest_meaning_counts_however_unsure() -> None:
    home = sample_home()
    found = Grounder(home).ground("whatever")
    assert Likeliest(_Means("negation")).hints(found, home) == [("negation", "?")]
    assert Likeliest(_Means("")).hints(found, home) == []


CASES: list[dict[str, Any]] = [
    {
        "id": "on",
        "source": "own",
        "home": DATA,
        "utterance": "turn on the kettle",
        "expect": {
            "calls": [{"service": "switch.turn_on", "targets": ["switch.kettle"]}]
        },
    },
    {
        "id": "thanks",
        "source": "talk",
        "home": DATA,
        "utterance": "thank you so much",
        "context": {"area": "Kitchen", "now": "2026-05-04T07:00:00"},
        "expect": {"calls": [], "response": {"contains": [["welcome"]]}},
    },
]


async def test_cases_are_answered_by_any_backend() -> None:
    on = '```homeassistant\n{"service": "switch.turn_on", "target_device": "<E1>"}\n```'
    thanks = '```homeassistant\n{"reply": "thanks"}\n```'
    engine = ScriptedEngine([on, thanks], prompt_format="grounded")
    made = await predictions(Setting(engine, None), CASES)
    assert [v.strict for v in judge(CASES, made)] == [True, True]
    assert made[0]["tokens"]["sampled"] > 0
    assert engine.requests[1].prompt.question.startswith("<here> thank you")
    hinted = Setting(
        ScriptedEngine([on, on], prompt_format="grounded"),
        Likeliest(_Means("switch.turn_on")),
    )
    wrong = await predictions(hinted, CASES)
    by_source = grouped(judge(CASES, wrong), "source")
    assert {name: [v.strict for v in part] for name, part in by_source.items()} == {
        "own": [True],
        "talk": [False],
    }


@contextmanager
def _scripted(condition: str, model: Path) -> Iterator[Setting]:
    """Of the two with a model, only the one with hints knows what to do."""
    engine: Backend = ScriptedEngine(
        lambda request: (
            '```homeassistant\n{"service": "switch.turn_on", "target_device": "<E1>"}'
            "\n```"
            if "<~switch.turn_on>" in request.prompt.question
            else '```homeassistant\n{"reply": "thanks"}\n```'
        ),
        prompt_format="grounded",
    )
    if condition in ("rules", "nearest"):
        engine = RuleBackend()
    hints = None if condition == "model" else Likeliest(_Means("switch.turn_on"))
    yield Setting(engine, hints)


def test_the_table_sets_the_conditions_side_by_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ablation, "setting", _scripted)
    monkeypatch.setattr(ablation, "DOCS", tmp_path / "accuracy.md")
    cases = tmp_path / "cases.jsonl"
    cases.write_text("".join(f"{json.dumps(case)}\n" for case in CASES))
    main([str(cases), "--out", str(tmp_path / "out"), "--docs"])
    table = (tmp_path / "out" / "table.md").read_text()
    rows = [[c.strip() for c in r.split("|")[1:-1]] for r in table.splitlines()]
    assert rows[0][2:] == [
        "no model, no encoder", "encoder, no model", "model, no hints", "all",
    ]  # fmt: skip
    assert rows[2] == ["own", "1", "100.0 %", "100.0 %", "0.0 %", "100.0 %"]
    assert rows[3] == ["talk", "1", "0.0 %", "0.0 %", "100.0 %", "0.0 %"]
    assert rows[4] == ["**all**", "2", *["50.0 %"] * 4]
    docs = (tmp_path / "accuracy.md").read_text()
    assert f"<!-- ablation -->\n{table.strip()}\n<!-- /ablation -->" in docs
    figures = json.loads((tmp_path / "accuracy.json").read_text())
    assert figures["all"]["by_source"]["own"]["strict"] == 1
    assert figures == json.loads((tmp_path / "out" / "figures.json").read_text())
    made = (tmp_path / "out" / "model.jsonl").read_text().splitlines()
    assert [json.loads(line)["id"] for line in made] == ["on", "thanks"]


def test_the_rules_condition_runs_as_it_is(tmp_path: Path) -> None:
    cases = tmp_path / "cases.jsonl"
    cases.write_text("".join(f"{json.dumps(case)}\n" for case in CASES))
    main([str(cases), "--out", str(tmp_path / "out"), "--conditions", "rules"])
    made = (tmp_path / "out" / "rules.jsonl").read_text().splitlines()
    assert json.loads(made[0])["calls"] == [
        {"service": "switch.turn_on", "target_device": "switch.kettle"}
    ]
    with pytest.raises(TrainingError, match="no condition is called 'magic'"):
        main([str(cases), "--out", str(tmp_path), "--conditions", "rules,magic"])


def test_a_table_replaces_the_one_before_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "accuracy.md"
    path.write_text("above\n<!-- ablation -->\nold\n<!-- /ablation -->\nbelow\n")
    put_into(path, "new")
    text = "above\n<!-- ablation -->\nnew\n<!-- /ablation -->\nbelow\n"
    assert path.read_text() == text
    path.write_text("no place\n")
    with pytest.raises(TrainingError, match="has no place for the table"):
        put_into(path, "new")
    assert path.read_text() == "no place\n"
