"""Rows of a data set: conversations with a model of the seed's kind in random homes.

Prompt and answer are made by the run-time code, so that a row is, byte for byte, what
an agent would send to such a model and get back. Row i of a seed is always the same.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from homellm_edge.dialects import DIALECTS, PromptOptions, Situation
from homellm_edge.grounding import Grounder
from homellm_edge.home import Area, Entity, Floor, Home
from homellm_edge.prompt import PastTurn
from homellm_edge.services import ServiceCall
from homellm_edge.simulate import SimulatedHome

from ..finetune.formats import FORMATS as CHAT_FORMATS
from . import actions, make_example, questions
from .chatml import compose
from .homes import random_home
from .scene import Said, Scene
from .sentences import say
from .wording import ENGLISH, Wording, wording_of

SIZES: Mapping[str, tuple[int, int]] = {
    "small": (1, 12),
    "medium": (4, 40),
    "large": (30, 200),
}
"""How many entities a home has."""

_EARLIER = 0.2
"""Share of the rows that have an earlier turn without needing one."""
_NO_CLOCK = 0.1
_TRIES = 6
_LEFT_OUT = frozenset(
    "timer_started timer_changed timers_cancelled later list_question "
    "sun_question".split()
)
"""Kinds that the seed's form has no words for, or no answer to in its prompt."""

_DIALECT = DIALECTS["chatml"]
_OPTIONS = PromptOptions()


@dataclass(frozen=True, slots=True)
class Turn:
    """What was asked, in which situation, and what the assistant writes."""

    situation: Situation
    answer: str
    calls: tuple[ServiceCall, ...] = ()

    @property
    def past(self) -> PastTurn:
        """This turn as the prompt of a later one has it."""
        return _DIALECT.past(self.situation, self.answer)


@dataclass(frozen=True, slots=True)
class Conversation:
    """One turn or several; the home is as the last one found it."""

    turns: tuple[Turn, ...]
    kind: str

    @property
    def home(self) -> Home:
        """The home that the prompt shows."""
        return self.turns[-1].situation.home

    @property
    def text(self) -> str:
        """All of it in ChatML, as a model reads and writes it."""
        past = [turn.past for turn in self.turns]
        prompt = _DIALECT.standing(self.home, past, _OPTIONS)
        return dataclasses.replace(prompt, question="").text


def conversation(
    rng: random.Random, size: str, split: str, wording: Wording = ENGLISH
) -> Conversation:
    """The next conversation; a home is used for one, to keep them independent."""
    while True:
        home = sized_home(rng, size, split, wording)
        scene = Scene(rng, home, split, wording)
        grounder = Grounder(home, wording.language)
        for _ in range(_TRIES):
            said = say(scene)
            if said is None or said.kind in _LEFT_OUT:
                continue
            made = _conversation(scene, grounder, said)
            if made is not None:
                return made


def sized_home(
    rng: random.Random, size: str, split: str, wording: Wording = ENGLISH
) -> Home:
    """A random home of that size: as many of the generator's homes as it takes."""
    count = rng.randint(*SIZES[size])
    floors: dict[str, Floor] = {}
    areas: dict[str, Area] = {}
    entities: dict[str, Entity] = {}
    names: set[str] = set()
    while len(entities) < count:
        part = random_home(rng, split, wording.homes)
        for floor in part.floors:
            floors.setdefault(floor.id, floor)
        for area in part.areas:
            areas.setdefault(area.id, area)
        for entity in part.entities[: count - len(entities)]:
            if entity.entity_id in entities or entity.name.casefold() in names:
                continue
            entities[entity.entity_id] = entity
            names.add(entity.name.casefold())
    lived_in = {entity.area for entity in entities.values()}
    kept = tuple(area for area in areas.values() if area.id in lived_in)
    storeys = {area.floor for area in kept}
    return Home(
        tuple(floor for floor in floors.values() if floor.id in storeys),
        kept,
        tuple(entities.values()),
    )


def _conversation(scene: Scene, grounder: Grounder, said: Said) -> Conversation | None:
    rng = scene.rng
    now = None if rng.random() < _NO_CLOCK else some_time(rng)
    home, before = scene.home, None
    if said.recent or rng.random() < _EARLIER:
        entity = home.entity(said.recent[0]) if said.recent else None
        before = _earlier(scene, grounder, entity or rng.choice(home.entities), now)
        if before is None:
            return None
        home = _after(home, before)
        now = now and now + timedelta(seconds=rng.randint(10, 240))
    last = _turn(rng, home, grounder, said, now)
    if last is None:
        return None
    return Conversation((before, last) if before else (last,), said.kind)


def _earlier(
    scene: Scene, grounder: Grounder, entity: Entity, now: datetime | None
) -> Turn | None:
    """Something plain about a device that was said before."""
    only = dataclasses.replace(scene.home, entities=(entity,))
    alone = Scene(scene.rng, only, scene.split, scene.wording)
    maker = scene.rng.choice((actions.single, questions.state_question))
    said = maker(alone)
    # The prompt shows how things are now: what depends on how they were is too late.
    if said is None or not said.wanted[0].keys() <= {"service", "device", "query"}:
        return None
    said.kind = said.kind or maker.__name__
    return _turn(scene.rng, scene.home, grounder, said, now)


def _after(home: Home, turn: Turn) -> Home:
    """The home once the calls of that turn are carried out."""
    simulated = SimulatedHome(home)
    for call in turn.calls:
        asyncio.run(simulated.execute(call))
    return simulated.home()


def _turn(
    rng: random.Random, home: Home, grounder: Grounder, said: Said, now: datetime | None
) -> Turn | None:
    sentence = _written(rng, said)
    found = grounder.ground(sentence, said.here, said.recent)
    situation = Situation(home, sentence, found, said.here, now)
    answer = compose(situation, said.wanted, grounder.language)
    return Turn(situation, answer.text, answer.calls) if answer else None


def some_time(rng: random.Random) -> datetime:
    """A minute of some year."""
    return datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=rng.randrange(525_600))


def _written(rng: random.Random, said: Said) -> str:
    """The sentence as speech recognition or somebody at a keyboard writes it."""
    text = said.text
    if rng.random() < 0.5:
        return text
    mark = "?" if said.kind.endswith("question") else "."
    return text[:1].upper() + text[1:] + (mark if rng.random() < 0.8 else "")


def chatml_row(text: str) -> dict[str, Any]:
    """A row of the seed's form."""
    return {"text": text}


def messages_row(text: str) -> dict[str, Any]:
    """The same conversation in messages, for models of other chat formats."""
    messages = CHAT_FORMATS["chatml"].parse(text)
    return {"messages": [{"role": m.role, "content": m.text} for m in messages]}


WRAPPED: Mapping[str, Callable[[str], dict[str, Any]]] = {
    "chatml": chatml_row,
    "messages": messages_row,
}
"""Formats that hold a conversation -> the row of its ChatML text."""

FORMATS = (*WRAPPED, "grounded")


def row(
    form: str,
    name: str,
    seed: int,
    index: int,
    size: str = "medium",
    language: str = ENGLISH.language,
) -> dict[str, Any]:
    """Row `index` of the data set `name` (`train`, `test`...) of a seed."""
    rng = random.Random(f"{seed}/{name}/{index}")
    split = split_of(name, index)
    wording = wording_of(language)
    if form in WRAPPED:
        return WRAPPED[form](conversation(rng, size, split, wording).text)
    while True:
        home = sized_home(rng, size, split, wording)
        scene = Scene(rng, home, split, wording)
        grounder = Grounder(home, language)
        for _ in range(_TRIES):
            said = say(scene)
            made = said and make_example(rng, grounder, said, split)
            if made:
                return {"prompt": made.prompt, "answer": made.answer}


def split_of(name: str, index: int) -> str:
    """Test rows have names, and every second one phrasings, that training has not."""
    if name != "test":
        return "train"
    return "phrasings" if index % 2 else "held_out"


def line(row: Mapping[str, Any]) -> str:
    """A row as a line of a JSONL file."""
    return json.dumps(row, ensure_ascii=False) + "\n"


def check_language(language: str) -> None:
    """Raise TrainingError for a language in which nothing can be said."""
    wording_of(language)
