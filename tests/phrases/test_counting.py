"""How many ways to say something a bank has: what counts as one; is it enough."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homellm_edge.phrases import load, read
from homellm_edge.phrases.counting import (
    ACTION_FAMILIES,
    BOUNDS,
    Count,
    count,
    expanded,
    family_of,
)

_WORD = st.text("abc", min_size=1, max_size=3)
_GROUPS = st.lists(st.lists(_WORD, min_size=1, max_size=4), min_size=1, max_size=4)


def _light(*lines: str) -> Count:
    bank = read("en", [("test", "\n".join(("[action light.turn_on]", *lines)))])
    return next(found for found in count(bank) if found.family == "light")


@pytest.mark.parametrize("language", BOUNDS)
def test_every_action_has_enough_phrasings(language: str) -> None:
    found = {each.family: each.phrasings for each in count(load(language))}
    short = {f: found[f] for f in ACTION_FAMILIES if found[f] < BOUNDS[language]}
    assert not short


def test_the_other_languages_have_a_third_of_english() -> None:
    assert BOUNDS["en"] >= 150
    assert all(3 * bound >= BOUNDS["en"] for bound in BOUNDS.values())
    assert {"en", "de", "fr", "es", "pl"} <= BOUNDS.keys()


@pytest.mark.parametrize("language", BOUNDS)
def test_no_section_is_left_out(language: str) -> None:
    """Of every meaning that is a sentence, the templates are in one family's count."""
    bank = load(language)
    counted: dict[str, set[str]] = {}
    for section in bank.sections:
        if section.kind not in ("is", "sensor"):  # words
            counted.setdefault(family_of(section), set()).update(section.templates)
    assert "" not in counted
    assert {f: len(t) for f, t in counted.items()} == {
        each.family: each.templates for each in count(bank) if each.templates
    }


@pytest.mark.parametrize(
    "again", ["turn the {x} on", "please turn on my {x}", "(turn|flick) {x} on"]
)
def test_near_duplicates_count_once(again: str) -> None:
    found = _light("turn on {x}", again)
    assert (found.templates, found.phrasings) == (2, 1)


def test_other_words_count_anew() -> None:
    found = _light("turn on {x}", "(switch|put) on {x}", "light up {x}")
    assert found == Count("light", 3, 3, 4)


def test_one_template_in_two_sections_counts_once() -> None:
    text = "[action light.turn_on]\n{x} now\n[action light.turn_off]\n{x} now"
    found = {each.family: each for each in count(read("en", [("test", text)]))}
    assert found["light"] == Count("light", 1, 1, 1)


def test_nested_choices_are_expanded() -> None:
    assert sorted(expanded("((turn|put) {x}|{x}) on")) == [
        "put {x} on",
        "turn {x} on",
        "{x} on",
    ]


@given(_GROUPS)
def test_expanding_makes_the_product_of_all_choices(groups: list[list[str]]) -> None:
    made = [*expanded(" ".join(f"({'|'.join(group)})" for group in groups))]
    product = {" ".join(words) for words in itertools.product(*groups)}
    assert len(made) == len(product)
    assert {*made} == product


def test_a_template_of_very_many_choices_is_bounded() -> None:
    many = " ".join(f"({'|'.join(f'{a}{n}' for n in range(9))})" for a in "abcdefgh")
    found = _light(f"{many} {{x}}")
    assert found.phrasings == 1
    assert 0 < found.sentences <= 1000


def test_the_table_has_a_row_of_every_family() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "homellm_edge.phrases", "de"],
        capture_output=True,
        text=True,
        check=True,
    )
    lines = done.stdout.splitlines()
    assert lines[0].split() == "de templates phrasings sentences at least".split()
    bank = load("de")
    assert [line[:24].strip() for line in lines[1:]] == [c.family for c in count(bank)]
    first = count(bank)[0]
    numbers = re.findall(r"\d+", lines[1])
    wanted = (first.templates, first.phrasings, first.sentences, BOUNDS["de"])
    assert numbers == [*map(str, wanted)]


def test_an_unknown_language_ends_with_cause_and_cure() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "homellm_edge.phrases", "tlh"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "no phrases in 'tlh'" in done.stderr
