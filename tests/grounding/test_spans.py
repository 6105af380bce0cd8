"""Durations and free texts: where they stand, how long they are, whose words they hold.

A wrong duration is a timer that rings at the wrong time, so they are made from numbers,
written in words and read back.
"""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from homellm_edge.grounding import Grounder, Grounding
from homellm_edge.grounding.lexicon import FRAME_WORDS, TEXT_TRIGGERS
from homellm_edge.grounding.spans import (
    MAX_SECONDS,
    find_durations,
    find_texts,
    text_of,
)
from homellm_edge.grounding.text import tokens
from homellm_edge.home import home_from_dict
from homes import DATA, sample_home

_SIZES = {"day": 86400, "hour": 3600, "minute": 60, "second": 1}


def _seconds(sentence: str) -> list[float]:
    return [d.seconds for d in find_durations(tokens(sentence))]


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("five minutes", 300),
        ("90 seconds", 90),
        ("a minute and a half", 90),
        ("two and a half hours", 9000),
        ("half an hour", 1800),
        ("a half hour", 1800),
        ("a quarter of an hour", 900),
        ("three quarters of an hour", 2700),
        ("an hour and a quarter", 4500),
        ("one hour and 30 minutes", 5400),
        ("1 hour 30", 5400),
        ("5 minutes 20", 320),
        ("one hour two minutes and three seconds", 3723),
        ("a couple of hours", 7200),
        ("a few minutes", 180),
        ("ten more minutes", 600),
        ("2.5 hours", 9000),
        ("1,5 hours", 5400),
        ("a full day", 86400),
        ("5 min", 300),
    ],
)
def test_ways_to_say_how_long(said: str, seconds: float) -> None:
    for sentence in (said, f"set a timer for {said}", f"{said} timer please"):
        assert _seconds(sentence) == [seconds]


@pytest.mark.parametrize(
    ("sentence", "seconds"),
    [
        ("wait a second", []),  # an idiom
        ("in the second half", []),
        ("0 minutes", []),
        ("200 days", []),
        ("20 minutes 5 percent", [1200]),
        ("5 minutes 20 degrees", [300]),
        ("ring for 10 minutes 3 times", [600]),
        ("1 minute 70", [60]),
        ("1 day 30", [86400]),  # 30 of what?
        ("10 minutes 5 minutes", [600, 300]),  # two, as the second is no smaller
        ("from 10 minutes to 1 hour", [600, 3600]),
        ("turn the lamp to 30", []),
    ],
)
def test_what_only_looks_like_a_part_of_one(
    sentence: str, seconds: list[float]
) -> None:
    assert _seconds(sentence) == seconds


_AMOUNTS = st.integers(1, 59)
_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen "
    "fourteen fifteen sixteen seventeen eighteen nineteen"
).split()
_TENS = ("", "", "twenty", "thirty", "forty", "fifty")


def _spelled(amount: int) -> str:
    if amount < 20:
        return _ONES[amount]
    return f"{_TENS[amount // 10]} {_ONES[amount % 10] if amount % 10 else ''}".strip()


@st.composite
def _durations(draw: st.DrawFn) -> tuple[str, int]:
    """A duration in words or figures, its units in falling order."""
    units = draw(st.lists(st.sampled_from([*_SIZES]), min_size=1, unique=True))
    units.sort(key=lambda unit: -_SIZES[unit])
    parts, total = [], 0
    for unit in units:
        amount = draw(_AMOUNTS)
        total += amount * _SIZES[unit]
        said = draw(st.sampled_from([str(amount), _spelled(amount)]))
        parts.append(f"{said} {unit}{'' if amount == 1 else 's'}")
    link = draw(st.sampled_from([" ", " and ", ", "]))
    return link.join(parts), total


@given(_durations(), st.sampled_from(["", "turn it off in ", "set a timer for "]))
def test_durations_come_back_from_words(made: tuple[str, int], before: str) -> None:
    said, seconds = made
    assert _seconds(f"{before}{said}") == [seconds]


_WORD = st.sampled_from(
    "a an and half quarter of three 3 30 5 2.5 the more hour hours minute minutes "
    "second seconds day days couple few another percent milk bread timer list add "
    "for in full extra times play red warm white kitchen light".split()
)
_SENTENCE = st.lists(_WORD, max_size=14).map(" ".join)


@given(_SENTENCE, st.sets(st.integers(0, 14)))
def test_durations_lie_inside_apart_and_off_what_is_taken(
    sentence: str, taken: set[int]
) -> None:
    parts = tokens(sentence)
    end = 0
    for found in find_durations(parts, taken):
        assert end <= found.start < found.end <= len(parts)
        assert taken.isdisjoint(range(found.start, found.end))
        assert 0 < found.seconds <= MAX_SECONDS
        end = found.end


@given(_SENTENCE, st.sets(st.integers(0, 14)))
def test_texts_are_the_longest_runs_of_free_words(
    sentence: str, taken: set[int]
) -> None:
    parts = tokens(sentence)
    found = find_texts(parts, taken, ())
    if not any(t.text in TEXT_TRIGGERS for t in parts):
        assert found == []
        return
    inside = {p for start, end in found for p in range(start, end)}
    assert len(inside) == sum(end - start for start, end in found)
    assert inside == {
        at
        for at, token in enumerate(parts)
        if at not in taken and token.number is None and token.text not in FRAME_WORDS
    }
    assert all(end < start for (_, end), (start, _) in pairwise(found))


def test_what_is_kept_belongs_to_a_text() -> None:
    parts = tokens("add olive oil to the list")
    assert find_texts(parts, {1}, ()) == [(2, 3)]
    assert find_texts(parts, {1}, {1}) == [(1, 3)]


def test_a_text_takes_in_its_count_but_no_article() -> None:
    parts = tokens("buy 2 liters of oat milk and every the best bread")
    assert text_of(parts, 2, 6, counted=True) == "2 liters of oat milk"
    assert text_of(parts, 2, 6, counted=False) == "liters of oat milk"
    assert text_of(parts, 7, 11, counted=True) == "best bread"
    assert text_of(parts, 7, 8, counted=True) == "every"  # never nothing at all
    assert text_of(tokens("milk"), 0, 1, counted=True) == "milk"


@pytest.fixture(scope="module")
def grounder() -> Grounder:
    return Grounder(sample_home())


@pytest.mark.parametrize(
    ("sentence", "hint", "words"),
    [
        (
            "add oat milk and 2 liters of juice to the list",
            "add <T1> oat milk and <N1> <T2> liters of <T3> juice to the list",
            ["oat milk", "2 liters", "juice"],
        ),
        (
            "start a pizza timer for ten minutes",
            "start a <T1> pizza timer for <D1>",
            ["pizza"],
        ),
        ("play red", "play <C1>", []),  # a colour alone stays one
        ("play red garden", "play <T1> red garden", ["red garden"]),
        ("what is the weather", "what is the weather", []),  # nothing asks for a text
    ],
)
def test_texts_in_the_prompt(
    grounder: Grounder, sentence: str, hint: str, words: list[str]
) -> None:
    found = grounder.ground(sentence)
    assert found.text == hint
    texts = range(len(found.texts))
    assert [found.written(n, n, counted=True) for n in texts] == words


def test_a_run_of_texts_keeps_what_stands_between(grounder: Grounder) -> None:
    found = grounder.ground("add 2 liters of juice to the list")
    assert found.written(0, 1, counted=True) == "2 liters of juice"


def _marks(found: Grounding, letter: str) -> set[int]:
    return {int(n) for n in re.findall(rf"<{letter}(\d+)>", found.text)}


@settings(deadline=None)
@given(_SENTENCE)
@example("set the light to more 30 minutes")  # a preset that runs into a duration
def test_every_placeholder_that_may_be_used_is_in_the_prompt(sentence: str) -> None:
    """The grammar offers what `Grounding` holds: it must be there to be seen."""
    home = home_from_dict(
        {
            **DATA,
            "entities": [
                *DATA["entities"],
                {
                    "entity_id": "fan.odd",
                    "name": "Light",
                    "state": "on",
                    "attributes": {"preset_modes": ["More 30", "red", "half an"]},
                },
            ],
        }
    )
    found = Grounder(home).ground(sentence)
    for letter, held in (
        ("E", found.entities), ("A", found.places), ("N", found.numbers),
        ("C", found.colors), ("V", found.options), ("D", found.durations),
        ("T", found.texts),
    ):  # fmt: skip
        assert _marks(found, letter) == set(range(1, len(held) + 1)), letter
