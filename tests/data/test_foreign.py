"""Banks of other languages in English words."""

from __future__ import annotations

import pytest

from homellm_edge.phrases import load
from homellm_edge.phrases.labels import label_of
from homellm_edge.translation import LANGUAGES
from training.foreign import translated_examples


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_phrasing_with_a_meaning_is_there(language: str) -> None:
    found = list(translated_examples(language))
    sections = [s for s in load(language).sections if label_of(s)]
    assert len(found) == sum(len(s.templates) for s in sections)
    assert {label for _, label in found} == {label_of(s) for s in sections}
    assert not [text for text, _ in found if "slot" in text or "{" in text]
    english = {word for text, _ in found for word in text.split()}
    assert {"the", "turn", "kitchen"} <= english


def test_the_kept_are_told_by_the_templates_as_they_are_written() -> None:
    line = load("de").lines("action", "light.turn_on")[0]
    assert len(list(translated_examples("de", lambda t: t == line))) >= 1
    assert not list(translated_examples("de", lambda t: False))
    assert not list(translated_examples("en"))
