"""Sentences in a home, each with what is wanted in terms of the real home.

The wanted objects are written in the home language but with entity ids, place ids and
values; `encoding` turns them into placeholders once the sentence is grounded.
"""

from __future__ import annotations

from collections.abc import Callable

from . import actions, daily, noticed, questions, refusals
from .scene import Said, Scene

Maker = Callable[[Scene], Said | None]

_MAKERS: dict[Maker, int] = {
    actions.single: 60,
    actions.grouped: 50,
    actions.at_place: 60,
    actions.several: 24,
    actions.follow_up: 8,
    daily.timer_started: 8,
    daily.timer_changed: 14,
    daily.timers_cancelled: 3,
    daily.later: 4,
    daily.on_list: 22,
    daily.list_question: 6,
    daily.dated_question: 8,
    daily.person_question: 5,
    daily.sun_question: 1,
    questions.state_question: 28,
    questions.place_question: 7,
    questions.scope_question: 18,
    noticed.noticed_question: 12,
    questions.sensed_question: 5,
    refusals.unknown: 12,
    refusals.absent: 3,
    refusals.unclear: 7,
    refusals.unable: 4,
    refusals.negation: 8,
    refusals.talk: 12,
}


def say(scene: Scene) -> Said | None:
    """One random sentence; None if the home has nothing for the kind chosen."""
    makers = list(_MAKERS)
    maker = scene.rng.choices(makers, [_MAKERS[m] for m in makers])[0]
    said = maker(scene)
    if said is None:
        return None
    said.kind = said.kind or maker.__name__
    question = said.kind.endswith("question")
    text = scene.wording.settled(said.text, question=question)
    said.text = scene.wording.noisy(scene.rng, text)
    return said
