"""The nearest phrases by words and letters, against a plain computation of the same."""

from __future__ import annotations

import math
import statistics
import time
from collections import defaultdict
from itertools import pairwise

import numpy as np
import pytest

from homellm_edge.errors import HomellmEdgeError
from homellm_edge.grounding import Grounder
from homellm_edge.phrases import PhraseError, load
from homellm_edge.phrases.examples import examples
from homellm_edge.phrases.ngrams import PhraseNgrams
from homellm_edge.word_hints import WordHints
from homes import sample_home

PAIRS = [
    ("turn on the light", "light.turn_on"),
    ("turn the light on please", "light.turn_on"),
    ("turn off the light", "light.turn_off"),
    ("open the blinds", "cover.open_cover"),
    ("i", "reply chat"),
]


def _plain_features(text: str) -> dict[object, float]:
    words = text.split()
    found: dict[object, float] = defaultdict(float)
    for word in words:
        found[word] += 1.0
        padded = f"_{word}_"
        for at in range(max(1, len(padded) - 3)):
            found["letters", padded[at : at + 4]] += 0.35
    for pair in pairwise(words):
        found[pair] += 1.2
    return found


def _plain_cosine(one: str, other: str, among: list[str]) -> float:
    """The same, without lists: rarity is ln(1 + all / those that have it)."""
    holding = [set(_plain_features(text)) for text in among]

    def vector(text: str) -> dict[object, float]:
        return {
            f: n * math.log(1 + len(among) / having)
            for f, n in _plain_features(text).items()
            if (having := sum(f in held for held in holding))
        }

    a, b = vector(one), vector(other)
    product = sum(weight * b.get(f, 0) for f, weight in a.items())
    lengths = [math.sqrt(sum(w * w for w in v.values())) for v in (a, b)]
    return product / math.prod(lengths) if all(lengths) else 0.0


@pytest.mark.parametrize(
    "text", ["turn on the light", "open up the light now", "turned", "xyzzy", ""]
)
def test_cosines_are_those_of_the_plain_computation(text: str) -> None:
    texts = [t for t, _ in PAIRS]
    found = PhraseNgrams(PAIRS).cosines(text)
    expected = [_plain_cosine(text, other, texts) for other in texts]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_the_nearest_vote_for_their_labels() -> None:
    phrases = PhraseNgrams(PAIRS)
    assert phrases.labels == (
        "light.turn_on", "light.turn_off", "cover.open_cover", "reply chat",
    )  # fmt: skip
    shares = phrases.shares("please turn on the light")
    cosines = phrases.cosines("please turn on the light").astype(float)
    votes = np.where(cosines > 0, np.exp((cosines - 1) / 0.05), 0)
    expected = [votes[:2].sum(), votes[2], votes[3], votes[4]]
    np.testing.assert_allclose(shares, expected / votes.sum(), atol=1e-5)
    assert shares.argmax() == 0
    assert not phrases.shares("xyzzy").any()


def test_only_the_forty_nearest_vote() -> None:
    near = [(f"light word{n}", "near") for n in range(40)]
    far = [(f"light {' '.join(f'other{n}{k}' for k in range(30))}", "far")
           for n in range(50)]  # fmt: skip
    phrases = PhraseNgrams([*far, *near])
    assert dict(zip(phrases.labels, phrases.shares("light"), strict=True)) == {
        "far": 0, "near": pytest.approx(1),
    }  # fmt: skip


def test_no_phrases_are_an_error() -> None:
    with pytest.raises(HomellmEdgeError, match="no phrases"):
        PhraseNgrams([])
    with pytest.raises(PhraseError):
        WordHints.load("xx")


def test_the_bank_knows_its_own_phrases_and_is_quick() -> None:
    pairs = list(examples(load("en")))
    phrases = PhraseNgrams(pairs)
    took, right = [], 0
    asked = pairs[::40]
    for text, label in asked:
        began = time.perf_counter()
        shares = phrases.shares(text)
        took.append(time.perf_counter() - began)
        right += phrases.labels[int(shares.argmax())] == label
    assert right / len(asked) > 0.9
    assert statistics.median(took) < 0.005


def test_hints_are_those_that_the_home_can_carry_out() -> None:
    home = sample_home()
    hints = WordHints.load()
    grounder = Grounder(home)
    found = grounder.ground("turn off the kettle")
    meanings = hints.meanings(found, home)
    assert meanings[0][0] == "switch.turn_off"
    shares = [share for _, share in meanings]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) <= 1 + 1e-6
    domains = {e.domain for e in home.entities}
    for text in ("start the vacuum", "arm the alarm", "water the lawn"):
        for label, _ in hints.meanings(grounder.ground(text), home):
            domain, dot, _ = label.partition(".")
            assert not dot or domain in {*domains, "timer", "todo", "homeassistant"}
    told = hints.hints(grounder.ground("add milk to the shopping list"), home)
    assert [label for label, _ in told][:1] == ["todo.add_item:item"]
    assert len(told) <= 2
