"""Sentences cut into commands and exclusions."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homellm_edge.grounding.clauses import MOST_CLAUSES, split_clauses
from homellm_edge.grounding.exclusions import split_exclusion
from homellm_edge.grounding.text import Token, tokens


def _said(parts: Sequence[Token]) -> str:
    return " ".join(t.text for t in parts)


def _clauses(sentence: str) -> list[str]:
    return [_said(clause) for clause in split_clauses(tokens(sentence))]


@pytest.mark.parametrize(
    ("sentence", "clauses"),
    [
        ("turn on the lamp and open the blinds", 2),
        ("turn on the tv, then dim the lamp to 21.5 percent and close the blinds", 3),
        ("It's late. Turn off the lights.", 2),
        ("is the door locked and is the window open?", 2),
        ("set a timer for 5 minutes and turn off the oven", 2),
        ("turn on the lamp and the tv", 1),
        ("open and close the blinds", 1),
        ("dont turn on the lamp and close the blinds", 1),
        ("if the door is open turn on the lamp and lock the door", 1),
        ("in five minutes turn off the tv and lock the door", 1),
        ("add milk and check the oven to my list", 1),
    ],
)
def test_a_sentence_is_cut_only_where_a_command_starts(
    sentence: str, clauses: int
) -> None:
    assert len(_clauses(sentence)) == clauses


def test_a_greeting_is_no_command() -> None:
    assert _clauses("good morning turn on the tv") == ["turn on the tv"]


@pytest.mark.parametrize(
    ("sentence", "wanted", "rest"),
    [
        ("turn off all lights except the lamp", "turn off all lights", "the lamp"),
        ("everything off but leave the tv on", "everything off", "the tv on"),
        ("turn off everything but the tv", "turn off everything", "the tv"),
        ("close the blinds but not in the attic", "close the blinds", "in the attic"),
        ("all lights off but the hallway", "all lights off", "hallway"),
        ("its warm but the fan is off", "its warm but the fan is off", ""),
        ("turn on the lamp", "turn on the lamp", ""),
        ("turn on the lamp but not the fan", "turn on the lamp but not the fan", ""),
        ("except for the tv", "except for the tv", ""),
    ],
)
def test_what_is_to_be_spared_is_cut_off(sentence: str, wanted: str, rest: str) -> None:
    found = split_exclusion(tokens(sentence))
    assert tuple(map(_said, found)) == (wanted, rest)


@given(st.lists(st.sampled_from("turn off and the then lamp all except ,".split())))
def test_no_word_of_a_command_is_lost(words: list[str]) -> None:
    sentence = " ".join(words)
    clauses = _clauses(sentence)
    assert 1 <= len(clauses) <= MOST_CLAUSES
    kept = [w for c in clauses for w in c.replace(",", " ").split()]
    lost = {"and", "then", ","}
    assert [w for w in kept if w not in lost] == [w for w in words if w not in lost]
