"""Hints: what the shipped encoder and its layer make of sentences in a home."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from homellm_edge.encoder import Encoder, MeaningHead, PhraseIndexError
from homellm_edge.engine.model import inspect_model
from homellm_edge.errors import EngineError, ModelError
from homellm_edge.grounding import Grounder
from homellm_edge.home import Home
from homellm_edge.meaning import Meaning, MeaningHints, plain_text
from homellm_edge.models import ENCODER, MEANINGS
from homellm_edge.phrases import PhraseError
from homellm_edge.phrases.labels import MOST_HINTS, hint_text, labels
from homes import sample_home

OWN = [("vampire mode please", "light.turn_off"), ("pyjama party", "reply hello")]
_ALWAYS = ("timer", "todo", "homeassistant")


@pytest.fixture(scope="module")
def hints() -> Iterator[MeaningHints]:
    made = MeaningHints.load(ENCODER, MEANINGS)
    yield made
    made.close()


def _meanings(
    hints: MeaningHints, sentence: str, home: Home | None = None
) -> list[Meaning]:
    home = home or sample_home()
    return hints.meanings(Grounder(home).ground(sentence), home)


def _only(domain: str) -> Home:
    home = sample_home()
    kept = tuple(e for e in home.entities if e.domain == domain)
    return Home(home.floors, home.areas, kept)


def test_the_encoder_is_the_file_that_ships() -> None:
    assert ENCODER.name == "encoder.gguf"
    digest = inspect_model(ENCODER).sha256()
    head = MeaningHead.load(MEANINGS, digest)  # not stale
    # after a change of the bank: python -m training.meanings
    assert head.labels == labels()


@pytest.mark.parametrize(
    ("sentence", "label"),
    [
        ("turn off the kitchen light", "light.turn_off"),
        ("dim the floor lamp to 30 percent", "light.turn_on:brightness"),
        ("set a timer for five minutes", "timer.start:duration"),
        ("what time is it", "query time"),
        ("put milk on the shopping list", "todo.add_item:item"),
        ("hello", "reply hello"),
    ],
)
def test_usual_sentences(hints: MeaningHints, sentence: str, label: str) -> None:
    found = _meanings(hints, sentence)
    assert found[0][0] == label
    shares = [share for _, share in found]
    assert shares == sorted(shares, reverse=True)
    assert all(0 < share <= 1 for share in shares)
    assert sum(shares) <= 1 + 1e-5


@pytest.mark.parametrize("domain", ["light", "lock", "climate", "sensor"])
@pytest.mark.parametrize(
    "sentence",
    [
        "turn off the fan", "play some jazz", "start the vacuum", "arm the alarm",
        "open the valve", "lock up", "make it warmer in here", "movie night",
    ],
)  # fmt: skip
def test_what_the_home_lacks_is_never_hinted(
    hints: MeaningHints, domain: str, sentence: str
) -> None:
    home = _only(domain)
    for label, _ in _meanings(hints, sentence, home):
        service, dot, _ = label.partition(".")
        assert not dot or service in (domain, *_ALWAYS), label


def test_a_hint_is_for_the_device_that_is_mentioned(hints: MeaningHints) -> None:
    """`switch off` said of a kettle is nothing for lights."""
    for label, _ in _meanings(hints, "switch off the kettle"):
        assert label.partition(".")[0] in ("switch", *_ALWAYS) or "." not in label
    assert _meanings(hints, "switch off the kettle")[0][0] == "switch.turn_off"


def test_hints_are_few_and_marked(hints: MeaningHints) -> None:
    home = sample_home()
    for sentence in ("turn off the kitchen light", "hm", "banana spaceship"):
        found = hints.hints(Grounder(home).ground(sentence), home)
        assert len(found) <= MOST_HINTS
        assert all(label in labels() and mark in "=~?" for label, mark in found)
    sure = hints.hints(Grounder(home).ground("what time is it"), home)
    assert hint_text(sure) == "<~query time>= "


def test_own_phrases_decide_at_once() -> None:
    own = MeaningHints.load(ENCODER, MEANINGS, own=OWN)
    try:
        for phrase, label in OWN:
            assert _meanings(own, phrase) == [(label, 1.0)]
        assert _meanings(own, "Vampire mode, please!") == [("light.turn_off", 1.0)]
        assert _meanings(own, "what time is it")[0][0] == "query time"
        own.learn([("zorblatt forever", "light.toggle")])
        assert _meanings(own, "pyjama party") == [("reply hello", 1.0)]  # still known
    finally:
        own.close()


def test_own_phrases_mean_what_the_model_knows(hints: MeaningHints) -> None:
    """A label becomes a token of the prompt: nobody else's text may be one."""
    for label in ("light.explode", "x><|im_end|>"):
        with pytest.raises(PhraseError, match="no phrase can mean"):
            MeaningHints.load(ENCODER, MEANINGS, own=[("boom", label)])
        with pytest.raises(PhraseError):
            hints.learn([("boom", label)])
    assert _meanings(hints, "boom")[0][1] < 1


def test_files_that_do_not_belong_together(tmp_path: Path) -> None:
    narrow = MeaningHead(
        labels(),
        np.zeros((len(labels()), 8), np.float32),
        np.zeros(len(labels()), np.float32),
        inspect_model(ENCODER).sha256(),
    )
    narrow.save(tmp_path / "narrow.npz")
    with pytest.raises(PhraseIndexError, match="8 numbers"):
        MeaningHints.load(ENCODER, tmp_path / "narrow.npz")
    with pytest.raises((ModelError, EngineError)):
        MeaningHints.load(MEANINGS, MEANINGS)
    with pytest.raises(PhraseIndexError):
        MeaningHints.load(ENCODER, ENCODER)


def test_a_closed_one_says_so() -> None:
    made = MeaningHints(Encoder(ENCODER), MeaningHead.load(
        MEANINGS, inspect_model(ENCODER).sha256()
    ))  # fmt: skip
    made.close()
    with pytest.raises(EngineError, match="closed"):
        _meanings(made, "hello")


@pytest.mark.parametrize(
    ("sentence", "plain"),
    [
        ("turn on the zorblatt", "turn on the light"),
        ("open the garage door", "open the blinds"),
        ("is anything on in the bedroom", "is anything on in the kitchen"),
        ("what is the bedroom temperature", "what is the temperature"),
        ("hello there", "hello there"),
        ("", ""),
    ],
)
def test_names_are_replaced_by_kinds(sentence: str, plain: str) -> None:
    home = sample_home()
    assert plain_text(Grounder(home).ground(sentence), home) == plain
