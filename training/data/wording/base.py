"""What the makers of sentences ask of a language.

A maker knows what is wanted and of which devices; how these are called, and with which
words around them, is the language's. Texts with `(a|b)` are templates, which the maker
expands. What agrees with a name or depends on what stands before it (case, gender,
elision) is settled when the sentence is whole.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any, Literal, Protocol

from homellm_edge.home import Area, Entity, Floor

if TYPE_CHECKING:
    from ..scene import Scene

Context = Literal["wish", "question", "timer", "timers"]
"""What a place is mentioned for: each has prepositions of its own."""

Kind = Literal["item", "grocery", "timed", "played"]
"""Texts of the speaker's own."""


class HomeWords(Protocol):
    """How people call what is in their home."""

    def noun(self, rng: random.Random, domain: str, split: str) -> tuple[str, str]:
        """A kind of device: its noun, and the English one that says its class."""
        ...

    def area(self, rng: random.Random, split: str) -> str:
        """A room."""
        ...

    def area_title(self, name: str) -> str:
        """A room's name as Home Assistant shows it."""
        ...

    def floors(self, rng: random.Random, count: int) -> Sequence[tuple[str, int]]:
        """Floors with their levels."""
        ...

    def device(
        self, rng: random.Random, split: str, domain: str, noun: str, area: Area | None
    ) -> str:
        """The name of an entity, in lower case."""
        ...

    def sensor(self, kind: str) -> str:
        """What a sensor of that kind adds to the name of its device."""
        ...

    def title(self, rng: random.Random, name: str) -> str:
        """A device's name as somebody typed it."""
        ...


class Wording(Protocol):
    """One language."""

    @property
    def language(self) -> str:
        """Its code: `en`."""
        ...

    @property
    def homes(self) -> HomeWords:
        """How its homes are called."""
        ...

    def expand(self, rng: random.Random, template: str) -> str:
        """Pick one alternative of every parenthesis."""
        ...

    def settled(self, text: str, *, question: bool) -> str:
        """The whole sentence, with all that depends on its neighbours."""
        ...

    def noisy(self, rng: random.Random, text: str) -> str:
        """With the slips of speech recognition and typing, in some sentences."""
        ...

    def polite(self, rng: random.Random, text: str) -> str:
        """A command as somebody might frame it."""
        ...

    def asked(self, rng: random.Random, text: str) -> str:
        """A question as somebody might frame it."""
        ...

    def number(self, rng: random.Random, number: float) -> str:
        """Digits or words."""
        ...

    def duration(self, rng: random.Random) -> tuple[str, float]:
        """(words, seconds)."""
        ...

    def color(self, rng: random.Random) -> tuple[str, Mapping[str, Any]]:
        """(words, value) of a colour or a white."""
        ...

    def text(self, rng: random.Random, kind: Kind, split: str) -> str:
        """Something to buy, do, time or play."""
        ...

    def mention(self, scene: Scene, entity: Entity) -> str:
        """A way to call one device that means it and no other."""
        ...

    def called(self, rng: random.Random, name: str) -> str:
        """A name with an article, as people put one or not."""
        ...

    def strange(
        self, rng: random.Random, domain: str, split: str, known: AbstractSet[str]
    ) -> str | None:
        """A device that is not there; None if a word of its owner or room is known."""
        ...

    def kind_of(self, rng: random.Random, domain: str) -> str:
        """A device named by nothing but its kind: `the fan`."""
        ...

    def some_of(self, rng: random.Random, domain: str) -> str:
        """One of several, it is not said which: `a lamp`."""
        ...

    def group(
        self, scene: Scene, domain: str, *, plural: bool = False
    ) -> tuple[str, str, str | None] | None:
        """(words, place id or `all`, here): several devices called together."""
        ...

    def members(self, rng: random.Random, scope: str) -> str:
        """The plural of what is asked for."""
        ...

    def place(self, place: Area | Floor, context: Context) -> str:
        """A template: in a room, on a floor."""
        ...

    def here(self, context: Context) -> str:
        """A template: where the speaker is."""
        ...

    def house(self, context: Context) -> str:
        """A template: in the whole house, often not said."""
        ...

    def off_at(self, place: Area | Floor) -> str:
        """A template: switch a room off."""
        ...

    def timer_of_place(self, place: Area) -> str:
        """A template: the timer of a room."""
        ...

    def timer_for(self, name: str) -> str:
        """A template: the timer with a name."""
        ...

    def list_named(self, rng: random.Random, name: str) -> str:
        """A list of the home."""
        ...

    def is_shopping(self, name: str) -> bool:
        """Whether a list of that name is for shopping."""
        ...

    def shopping_list(self, rng: random.Random) -> str:
        """The shopping list that everybody has."""
        ...

    def only_list(self, rng: random.Random) -> str:
        """The list, whichever it is."""
        ...

    def calendar(self, rng: random.Random, name: str) -> str:
        """A calendar of the home."""
        ...

    def item_pair(self, first: str, second: str) -> str | None:
        """Two items in a row; None if nobody could tell them apart."""
        ...

    def joined(self, mentions: Sequence[str]) -> str:
        """Several mentions in a row."""
        ...

    def linked(self, rng: random.Random, first: str, second: str) -> str:
        """Two commands in a sentence."""
        ...

    def except_for(self, rng: random.Random, text: str, spared: str) -> str:
        """A command that spares something."""
        ...

    def again(self, rng: random.Random, text: str) -> str:
        """A command as the second one in a row: `and turn it off too`."""
        ...

    def pronoun(self, rng: random.Random) -> str:
        """What was spoken of before."""
        ...

    def which_state(self, states: Sequence[str]) -> str | None:
        """A template: is it this or that."""
        ...

    def out_of_place(self, rng: random.Random, domain: str) -> str:
        """A command that only makes sense for a domain, with `{x}`."""
        ...

    def fits_all(self, name: str) -> bool:
        """Whether a device of that name may be more than its domain says."""
        ...
