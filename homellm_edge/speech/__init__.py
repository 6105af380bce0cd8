"""What is said, in five languages: about calls, states, lists, dates and timers.

The texts are data (`en.json`...); `texts_for(language)` reads them. All that is told
takes the language of the question and is told in English if it is not given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..home import Entity
from .results import ask_back, capital, named_or_counted, tell_refusal, tell_results
from .texts import LANGUAGES, Texts, texts_for

__all__ = [
    "LANGUAGES",
    "REPLIES",
    "Texts",
    "ask_back",
    "capital",
    "join_names",
    "named_or_counted",
    "replies_in",
    "said_duration",
    "said_name",
    "said_state",
    "tell_refusal",
    "tell_results",
    "texts_for",
]


def replies_in(language: str) -> Mapping[str, str]:
    """Texts for the replies of `language.REPLIES`, and for what `failed`."""
    texts = texts_for(language)
    prefix = "replies."
    return {
        key.removeprefix(prefix): texts.say(key)
        for key in texts.templates
        if key.startswith(prefix)
    }


REPLIES: Mapping[str, str] = replies_in("en")
"""The replies in English."""


def said_name(entity: Entity, language: str = "en") -> str:
    """`the kitchen light`: the name as it is spoken in a sentence."""
    return texts_for(language).name(entity)


def said_state(entity: Entity, state: str, language: str = "en") -> str:
    """A state as it is spoken, with its unit."""
    texts = texts_for(language)
    unit = entity.attributes.get("unit_of_measurement")
    if unit:
        return f"{texts.number(state)} {unit}"
    return texts.state(state, texts.form_of(entity))


def join_names(names: Sequence[str], language: str = "en") -> str:
    """`a`, `a and b`, `a, b and c`."""
    return texts_for(language).joined(names)


def said_duration(seconds: int, language: str = "en") -> str:
    """`1 hour 30 minutes`: the two largest units."""
    return texts_for(language).duration(seconds)
