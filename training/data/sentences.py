"""Sentences in a home, each with what is wanted in terms of the real home.

The wanted objects are written in the home language but with entity ids, place ids and
values; `encoding` turns them into placeholders once the sentence is grounded.
"""

from __future__ import annotations

from collections.abc import Callable

from . import actions, questions, refusals
from .scene import Said, Scene
from .surface import noisy

Maker = Callable[[Scene], Said | None]

_MAKERS: dict[Maker, int] = {
    actions.single: 30,
    actions.grouped: 34,
    actions.at_place: 14,
    actions.several: 24,
    actions.follow_up: 4,
    questions.state_question: 10,
    questions.place_question: 3,
    questions.scope_question: 6,
    questions.sensed_question: 2,
    refusals.unknown: 7,
    refusals.absent: 2,
    refusals.unclear: 4,
    refusals.unable: 2,
    refusals.negation: 3,
    refusals.talk: 5,
}


def say(scene: Scene) -> Said | None:
    """One random sentence; None if the home has nothing for the kind chosen."""
    makers = list(_MAKERS)
    maker = scene.rng.choices(makers, [_MAKERS[m] for m in makers])[0]
    said = maker(scene)
    if said is None:
        return None
    said.kind = said.kind or maker.__name__
    said.text = noisy(scene.rng, said.text)
    return said
