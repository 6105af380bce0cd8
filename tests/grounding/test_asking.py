"""Questions and commands told apart."""

from __future__ import annotations

import pytest

from homellm_edge.dialects import GroundedDialect, Situation
from homellm_edge.dialects.base import PromptOptions
from homellm_edge.grammar.automaton import compile_grammar
from homellm_edge.grounding import Grounder
from homellm_edge.grounding.asking import may_ask, only_asks
from homellm_edge.grounding.text import tokens
from homellm_edge.phrases import load
from homellm_edge.phrases.examples import sentence_of
from homellm_edge.phrases.labels import label_of
from homes import sample_home

ACTS = '```homeassistant\n{"service": "light.turn_off", "target_area": "all"}\n```'
ASKS = (
    '```homeassistant\n{"query": "all", "domain": "light", "target_area": "all", '
    '"is": "on"}\n```'
)


@pytest.mark.parametrize(
    "sentence",
    [
        "is the garage door open",
        "hey are all the lights off",
        "how many windows are open",
        "which lights are on in the kitchen",
        "did i leave anything on",
    ],
)
def test_a_question_only_asks(sentence: str) -> None:
    assert only_asks(tokens(sentence))


@pytest.mark.parametrize(
    "sentence",
    [
        "is it possible to dim the light",
        "are you able to close the blinds",
        "is it just me or is it cold in here",
        "how about some light",
        "have the blinds closed",
        "who left the speaker on",
        "turn on the light",
        "did pizza tick it off my shopping list",
        "is it",
        "",
    ],
)
def test_what_may_be_a_wish_is_none(sentence: str) -> None:
    assert not only_asks(tokens(sentence))


def test_no_command_of_the_bank_is_taken_for_a_question() -> None:
    for section in load().sections:
        if section.kind in ("action", "place", "later", "negation"):
            for template in section.templates:
                said = sentence_of(template, label_of(section) or "")
                assert not only_asks(tokens(said)), said


def test_most_questions_over_devices_show_that_they_are_some() -> None:
    said = [
        sentence_of(template, label_of(section) or "")
        for section in load().sections
        if section.kind in ("scope", "sensed", "noticed")
        for template in section.templates
    ]
    assert sum(may_ask(tokens(s)) for s in said) > 0.98 * len(said)


@pytest.mark.parametrize(
    ("sentence", "acts", "asks"),
    [
        ("are all the lights on", False, True),
        ("all lights on", True, False),
        ("all lights on?", True, True),
        ("tell me if all lights are on", True, True),
    ],
)
def test_the_grammar_has_what_a_sentence_can_mean(
    sentence: str, acts: bool, asks: bool
) -> None:
    home = sample_home()
    found = Grounder(home).ground(sentence)
    situation = Situation(home, sentence, found)
    request = GroundedDialect().request(situation, PromptOptions())
    automaton = compile_grammar(request.grammar or "")
    assert automaton.match(ACTS.encode()) is acts
    assert automaton.match(ASKS.encode()) is asks
