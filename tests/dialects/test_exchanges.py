"""Example exchanges: what they show is what the home takes, and where they stand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine_fixtures import EXACT
from grammar_oracle import GrammarOracle
from homellm_edge.agent import Agent, AgentOptions, Question, TurnDone
from homellm_edge.dialects import DIALECTS, PromptOptions, Situation
from homellm_edge.dialects.exchanges import MOST_CHARACTERS, exchanges
from homellm_edge.engine.base import Usage
from homellm_edge.engine.llama import LlamaEngine
from homellm_edge.grammar import home_grammar
from homellm_edge.grounding import Grounder
from homellm_edge.home import Home, home_from_dict
from homellm_edge.meaning import MeaningHints
from homellm_edge.models import ENCODER, MEANINGS
from homellm_edge.models.catalogue import usual_examples
from homellm_edge.phrases.labels import labels
from homellm_edge.prompt.chatml import Exchange
from homellm_edge.services import services_for
from homellm_edge.simulate import SimulatedHome
from homellm_edge.word_hints import WordHints
from homes import DATA, sample_home
from hostile_texts import PAYLOADS, guarded_home

_CHATML = DIALECTS["chatml"]
_FENCE = re.compile(r"```homeassistant\n(.*)\n```", re.DOTALL)


@pytest.fixture(scope="module")
def encoder() -> Iterator[MeaningHints]:
    made = MeaningHints.load(ENCODER, MEANINGS)
    yield made
    made.close()


def _situation(
    home: Home, sentence: str, meanings: list[tuple[str, float]] | None = None
) -> Situation:
    found = Grounder(home).ground(sentence)
    return Situation(home, sentence, found, meanings=meanings or ())


def _calls(situation: Situation, shown: Exchange) -> list[Any]:
    block = _FENCE.search(shown.answered)
    lines = block[1].splitlines() if block else []
    return [c for line in lines for c in _CHATML.steps(situation, json.loads(line))]


def test_the_nearest_meaning_stands_last_and_shows_another_device(
    encoder: MeaningHints,
) -> None:
    home = sample_home()
    said = "dim the kitchen light to 30 percent"
    meanings = encoder.meanings(Grounder(home).ground(said), home)
    shown = exchanges(_situation(home, said, meanings), 3)
    assert len(shown) == 3
    assert shown[-1] == Exchange(
        "dim the Counter Spots to 40 percent",
        "Set the Counter Spots to 40 percent.\n```homeassistant\n"
        '{ "service": "light.turn_on", "target_device": "light.counter", '
        '"brightness": 40 }\n```',
    )


@pytest.mark.parametrize("home", [sample_home(), guarded_home()])
def test_every_example_is_what_the_home_takes(
    grammar_oracle: GrammarOracle, home: Home
) -> None:
    grammar = home_grammar(home)
    shown = 0
    for label in labels():
        situation = _situation(home, "turn it on", [(label, 1.0)])
        for example in exchanges(situation, 1):
            shown += 1
            assert grammar_oracle.accepts(grammar, example.answered), example
            for call in _calls(situation, example):
                (target,) = call.targets
                entity = home.entity(target)
                assert entity is not None
                assert not any(s.explicit for s in services_for(entity)), label
    assert shown > 30


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(PAYLOADS) | st.text(min_size=1, max_size=60),
        min_size=len(DATA["entities"]),
        max_size=len(DATA["entities"]),
    ),
    st.lists(st.sampled_from(labels()), min_size=1, max_size=4, unique=True),
)
def test_names_write_nothing_into_the_prompt(
    names: list[str], wanted: list[str]
) -> None:
    entities = [
        {**e, "name": name, "state": name, "attributes": {**e.get("attributes", {}),
         "source_list": [name], "effect_list": [name], "preset_modes": [name]}}
        for e, name in zip(DATA["entities"], names, strict=True)
    ]  # fmt: skip
    home = home_from_dict({**DATA, "entities": entities})
    situation = _situation(home, "x", [(label, 0.25) for label in wanted])
    request = _CHATML.request(situation, PromptOptions(examples=4))
    question = request.prompt.question
    shown = len(exchanges(situation, 4))
    assert question.count("<|im_start|>") == 2 * shown + 2
    assert question.count("<|im_end|>") == 2 * shown + 2  # the system text's is one
    assert question.count("```") % 2 == 0
    assert "\x00" not in question.replace(situation.sentence, "")


def test_what_may_not_be_shown_leaves_the_form_of_an_answer() -> None:
    meant = [("lock.unlock", 0.95), ("lock.lock", 0.05)]
    situation = _situation(sample_home(), "unlock the front door", meant)
    shown = exchanges(situation, 3)
    calls = [c for one in shown for c in _calls(situation, one)]
    assert [c.service for c in calls] == ["switch.turn_on", "light.turn_off"]


def test_a_certain_meaning_is_shown_of_two_devices() -> None:
    meant = [("light.turn_on", 0.99)]
    situation = _situation(sample_home(), "turn on the zorblatt", meant)
    shown = exchanges(situation, 2)
    targets = [c.targets for one in shown for c in _calls(situation, one)]
    assert len({*targets}) == 2
    assert ("light.zorblatt",) not in targets


def test_examples_have_an_end() -> None:
    entities = [
        {"entity_id": f"light.l{n}", "name": f"Very Long Name of Lamp Number {n}"}
        for n in range(9)
    ]
    meant = [(label, 0.1) for label in labels() if label.startswith("light.")]
    situation = _situation(home_from_dict({"entities": entities}), "light", meant)
    shown = exchanges(situation, 99)
    assert 2 <= len(shown) < 10
    assert sum(len(part) for one in shown for part in one) <= MOST_CHARACTERS


def test_they_stand_behind_all_that_stays_and_in_no_history() -> None:
    home = sample_home()
    meant = [("light.turn_off", 1.0)]
    situation = _situation(home, "turn off the kitchen light", meant)
    without = _CHATML.request(situation, PromptOptions()).prompt
    with_them = _CHATML.request(situation, PromptOptions(examples=3)).prompt
    assert with_them.header == without.header
    assert with_them.blocks == without.blocks
    assert with_them.question.endswith(without.question.removeprefix("<|im_end|>\n"))
    assert len(with_them.question) > len(without.question)
    past = _CHATML.past(situation, "Done.")
    assert past.sentence == situation.sentence
    assert "```" not in past.written + past.context


def test_how_many_a_model_is_shown() -> None:
    assert usual_examples("Qwen2.5 0.5B Instruct") == 3
    assert usual_examples("Home-3B-v3") == 0
    assert usual_examples("anything", trained_here=True) == 0
    assert usual_examples("Homey Chat 7B") == 3


async def _usages(model: Path, examples: int, source: WordHints) -> list[Usage]:
    """Two turns of a conversation, with a refresh before each."""
    engine = LlamaEngine.load(model, n_ctx=2048, **EXACT)
    options = AgentOptions(PromptOptions(examples=examples, max_tokens=4))
    agent = Agent(engine, SimulatedHome(sample_home()), options, source)
    usages = []
    try:
        for said in ("turn off the kitchen light", "dim the floor lamp to 30"):
            await agent.refresh()
            question = Question(said, conversation_id="c")
            events = [event async for event in agent.turn(question)]
            assert isinstance(events[-1], TurnDone)
            usages.append(events[-1].usage)
    finally:
        await engine.close()
    return usages


async def test_the_standing_part_is_reused_as_without_them(tiny_model: Path) -> None:
    source = WordHints.load()
    without = await _usages(tiny_model, 0, source)
    with_them = await _usages(tiny_model, 3, source)
    assert with_them[0].reused == without[0].reused > 1000
    # Of the turn before, the model's own words are another.
    assert abs(with_them[1].reused - without[1].reused) < 16
    for plain, shown in zip(without, with_them, strict=True):
        assert shown.evaluated - plain.evaluated > 50
