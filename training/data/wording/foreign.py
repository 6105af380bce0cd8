"""What all languages but English share: words from a file, grammar from a subclass."""

from __future__ import annotations

import random
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from homellm_edge.grounding.lexicon import COLORS
from homellm_edge.grounding.text import words
from homellm_edge.home import Area, Entity, Floor
from homellm_edge.language import ALL

from ..names import made_up, pick
from ..places import has_domain, somewhere
from ..surface import typo
from . import marks
from .base import Context, Kind
from .homes import ForeignHomes
from .lexicon import Noun, lexicon

if TYPE_CHECKING:
    from ..scene import Scene

_INNERMOST = re.compile(r"\(([^()]*)\)")
_SPACES = re.compile(r"\s+")
_UNDECLINED = frozenset("person scene script".split())
_TWO_PLURALS = "pq"


class Foreign(ABC):
    """See `Wording`; subclasses know cases, articles and what agrees."""

    language: str

    def __init__(self) -> None:
        self._lexicon = lexicon(self.language)
        self._words = self._lexicon.pairs("words")
        self.homes = ForeignHomes(self._lexicon, self.contracted, self.compound)
        self._agreement = lru_cache(maxsize=8192)(self._forms_of_group)
        self._noun_of = lru_cache(maxsize=8192)(self._find_noun)

    # What a language knows.

    @abstractmethod
    def forms(
        self, article: str, before: str, noun: Noun, behind: str
    ) -> Sequence[str]:
        """The cases of a noun with `the`, `my`, `a`, `all` or no article."""

    @abstractmethod
    def case(self, before: str, behind: str, *, question: bool) -> int:
        """Which of the cases stands between these."""

    @abstractmethod
    def agreement(self, options: Sequence[str]) -> Sequence[str] | None:
        """Alternatives as the forms of GENDERS; None: they are no forms of a word."""

    @abstractmethod
    def spell(self, number: int) -> str:
        """A number below 100 in words."""

    def contracted(self, text: str) -> str:
        """Words that melt with their neighbour."""
        return text

    def compound(self, place: Noun, noun: str) -> str | None:
        """One word for a thing in a room, if the language makes such words."""
        return None

    def finished(self, text: str, gender: str) -> str:
        """The settled sentence, last touch; `gender` is that of its first mention."""
        return text

    # The frame of a sentence.

    def expand(self, rng: random.Random, template: str) -> str:
        """Pick an alternative of every parenthesis but where they agree with a name."""
        while found := _INNERMOST.search(template):
            options = tuple(found[1].split("|"))
            forms = self._agreement(options) if len(options) > 1 else None
            new = marks.agreeing(forms) if forms else rng.choice(options)
            template = template[: found.start()] + new + template[found.end() :]
        return _SPACES.sub(" ", template).strip()

    def settled(self, text: str, *, question: bool) -> str:
        """The sentence with its cases, agreements and contractions."""
        gender = marks.first_gender(text)

        def case(before: str, behind: str) -> int:
            return self.case(before, behind, question=question)

        text = self.contracted(marks.settled(text, case))
        return _SPACES.sub(" ", self.finished(text, gender)).strip()

    def noisy(self, rng: random.Random, text: str) -> str:
        """With the slips of speech recognition and typing, in some sentences."""
        roll = rng.random()
        parts = text.split()
        if roll < 0.04 and len(parts) > 3:
            at = rng.randrange(len(parts))
            if parts[at] in self._lexicon.lines("dropped"):
                del parts[at]
        elif roll < 0.08:
            at = rng.randrange(len(parts))
            parts[at] = typo(rng, parts[at])
        elif roll < 0.1:
            at = rng.randrange(len(parts) + 1)
            parts.insert(at, rng.choice(self._lexicon.lines("fillers")))
        elif roll < 0.13:
            return self.plain(text)
        return " ".join(parts)

    def plain(self, text: str) -> str:
        """As typed on a keyboard without the letters of the language."""
        return text.translate(_PLAIN)

    def polite(self, rng: random.Random, text: str) -> str:
        """A command as somebody might frame it."""
        return self._framed(rng, "before", text, "after")

    def asked(self, rng: random.Random, text: str) -> str:
        """A question as somebody might frame it."""
        return self._framed(rng, "asked before", text, "asked after")

    def _framed(self, rng: random.Random, before: str, text: str, after: str) -> str:
        roll = rng.random()
        first = rng.choice(self._lexicon.lines(before)) if roll < 0.3 else ""
        last = rng.choice(self._lexicon.lines(after)) if roll > 0.75 else ""
        return self.expand(rng, f"{first} {text} {last}")

    # Values.

    def number(self, rng: random.Random, number: float) -> str:
        """Digits or words."""
        if number != int(number) or not 0 <= number < 100 or rng.random() < 0.6:
            return f"{number:g}"
        return self.spell(int(number))

    def duration(self, rng: random.Random) -> tuple[str, float]:
        """(words, seconds)."""
        if rng.random() < 0.08:
            known = self._lexicon.pairs("durations")
            text = rng.choice(list(known))
            return self._cased(text), float(known[text])
        unit, size = rng.choice(
            (("second", 1), ("minute", 60), ("minute", 60), ("hour", 3600))
        )
        count = rng.choice((1, 2, 3, 5, 10, 15, 20, 30, 45, rng.randint(1, 59)))
        if unit == "hour":
            count = rng.randint(1, 9)
        text = self._counted(rng, count, unit)
        seconds = float(count * size)
        if unit == "hour" and rng.random() < 0.2:
            more = rng.choice((5, 10, 15, 20, 30, 45))
            link = self._words["and"]
            text += f" {link} {self._counted(rng, more, 'minute')}"
            seconds += 60 * more
        return text, seconds

    def _counted(self, rng: random.Random, count: int, unit: str) -> str:
        one, few, many, short = self._lexicon.pairs("units")[unit].split("/")
        if count == 1 and rng.random() < 0.8:
            return self._cased(one)
        if rng.random() < 0.12:
            return f"{count} {short}"
        last = count % 10
        is_few = 2 <= last <= 4 and not 12 <= count % 100 <= 14
        if rng.random() < 0.6:
            return f"{count} {few if is_few else many}"
        return f"{self.spell_for(count, many)} {few if is_few else many}"

    def spell_for(self, number: int, noun: str) -> str:
        """A number before a noun."""
        return self.spell(number)

    def _cased(self, text: str) -> str:
        """`eine stunde:einer stunde`: cases of a text, if it has any."""
        return marks.named("f", text.split(":")) if ":" in text else text

    def color(self, rng: random.Random) -> tuple[str, Mapping[str, Any]]:
        """(words, value) of a colour or a white."""
        name, english = rng.choice(self._colors)
        return name, COLORS[tuple(english.split())]

    @cached_property
    def _colors(self) -> tuple[tuple[str, str], ...]:
        return tuple(self._lexicon.pairs("colors").items())

    def text(self, rng: random.Random, kind: Kind, split: str) -> str:
        """Something to buy, do, time or play."""
        bank = kind if kind != "item" else "grocery" if rng.random() < 0.7 else "task"
        text = pick(rng, self._lexicon.lines(bank), split)
        roll = rng.random()
        if roll < 0.1:
            return made_up(rng)
        if roll < 0.15 and kind in ("item", "grocery"):
            return f"{text.split()[0]} {made_up(rng)}"
        return text

    # Names.

    def mention(self, scene: Scene, entity: Entity) -> str:
        """A way to call one device that means it and no other."""
        rng, home = scene.rng, scene.home
        name = entity.name if rng.random() < 0.2 else entity.name.lower()
        if entity.domain in _UNDECLINED:
            return name
        if entity.aliases and rng.random() < 0.4:
            return rng.choice(entity.aliases)
        area = scene.place_of(entity)
        roll = rng.random()
        found = self._noun_of(name.lower())
        if area and roll < 0.2 and not self._names(area, name):
            return f"{self.called(rng, name.lower())} {self._at(area)}"
        if found is None or roll > 0.4:
            return self.called(rng, name)
        noun = found[1]
        kin = [
            e
            for e in home.entities
            if e is not entity
            and (e.domain == entity.domain or noun.text in e.name.lower())
        ]
        alone = marks.named(noun.gender, self.forms("the", "", noun, ""))
        if area and not any(e.area == area.id for e in kin):
            return f"{alone} {self._at(area)}"
        return alone if not kin else self.called(rng, name)

    def _names(self, area: Area, name: str) -> bool:
        """Whether a name tells the room already."""
        place = self.homes.places.get(area.name.lower())
        forms = (area.name.lower(), *(place.forms if place else ()))
        return any(form in name.lower() for form in forms)

    def called(self, rng: random.Random, name: str) -> str:
        """A name with an article, as people put one or not."""
        found = self._noun_of(name.lower())
        if found is None:
            return name
        before, noun, behind = found
        owned = bool(before) and before.split()[0] in self._owners
        article = rng.choice(("the",) * 9 + ("my", "my", ""))
        forms = self.forms("" if owned else article, before, noun, behind)
        return marks.named(noun.gender, forms)

    @cached_property
    def _owners(self) -> frozenset[str]:
        return frozenset(line.split()[-1] for line in self._lexicon.lines("people"))

    @cached_property
    def _nouns(self) -> dict[str, Noun]:
        known: dict[str, Noun] = {}
        for domain in self.homes.domains:
            if domain not in _UNDECLINED:
                for noun in self._lexicon.nouns(domain):
                    known.setdefault(noun.text, noun)
        return known

    def _find_noun(self, name: str) -> tuple[str, Noun, str] | None:
        """(words before, noun, words behind): what kind of thing a name says it is."""
        parts = name.split()
        for size in (4, 3, 2, 1):
            for at in range(len(parts) - size + 1):
                noun = self._nouns.get(" ".join(parts[at : at + size]))
                if noun:
                    behind = " ".join(parts[at + size :])
                    return " ".join(parts[:at]), noun, behind
        for at, part in enumerate(parts):
            noun = self.head_of(part, self._nouns)
            if noun:
                return " ".join(parts[:at]), noun, " ".join(parts[at + 1 :])
        return None

    def head_of(self, word: str, known: Mapping[str, Noun]) -> Noun | None:
        """The noun that a compound is of."""
        return None

    def strange(
        self, rng: random.Random, domain: str, split: str, known: AbstractSet[str]
    ) -> str | None:
        """A device that is not there; None if a word of its owner or room is known."""
        noun, _ = self.homes.noun(rng, domain, split)
        roll = rng.random()
        if roll < 0.4:
            area = rng.choice(self._lexicon.nouns("areas"))
            if set(words(area.text)) & known:
                return None
            return self.homes.at(rng, noun, area)
        if roll < 0.7:
            name = made_up(rng)
        else:
            name = rng.choice(self._lexicon.lines("people")).split()[-1]
        if name in known:
            return None
        return self.contracted(
            self._words["owned" if roll >= 0.7 else "made_up"]
            .replace("{n}", noun)
            .replace("{o}", name)
        )

    def kind_of(self, rng: random.Random, domain: str) -> str:
        """A device named by nothing but its kind."""
        noun = rng.choice(self._lexicon.nouns(domain))
        return marks.named(noun.gender, self.forms("the", "", noun, ""))

    def some_of(self, rng: random.Random, domain: str) -> str:
        """One of several, it is not said which."""
        known = [n for n in self._lexicon.nouns(f"group {domain}") if n.gender in "mfn"]
        noun = rng.choice(known or self._lexicon.nouns(domain))
        article = rng.choice(("the", "the", "a", "my"))
        return marks.named(noun.gender, self.forms(article, "", noun, ""))

    def members(self, rng: random.Random, scope: str) -> str:
        """The plural of what is asked for."""
        noun = rng.choice(self._lexicon.nouns(f"scope {scope}"))
        return marks.named(noun.gender, self.forms("", "", noun, ""))

    # Groups and places.

    def group(
        self, scene: Scene, domain: str, *, plural: bool = False
    ) -> tuple[str, str, str | None] | None:
        """(words, place id or `all`, here): several devices called together."""
        rng = scene.rng
        noun = rng.choice(self._lexicon.nouns(f"group {domain}"))
        is_plural = noun.gender in _TWO_PLURALS
        if plural and not is_plural:
            return None
        article = rng.choice(("the", "the", "all") if is_plural else ("the",))
        text = marks.named(noun.gender, self.forms(article, "", noun, ""))
        roll = rng.random()
        if roll < 0.58:
            places = [p for p in scene.places() if has_domain(scene, p.id, domain)]
            if not places:
                return None
            place = rng.choice(places)
            members = [e for e in scene.home.members(place.id) if e.domain == domain]
            if not is_plural and len(members) < 2:
                return None
            return f"{text} {self._at(place)}", place.id, somewhere(scene, 0.2)
        if roll < 0.76:
            here = somewhere(scene, 1.0, domain)
            if here is None:
                return None
            members = [e for e in scene.home.members(here) if e.domain == domain]
            if not is_plural and len(members) < 2:
                return None
            where = self.expand(rng, f"(||{self._words['here']})")
            return f"{text} {where}".strip(), "<here>", here
        if not is_plural or len(scene.entities(domain)) < 2:
            return None
        if rng.random() < 0.4:
            return text, ALL, None
        where = self.expand(rng, self._words["everywhere"])
        return f"{text} {where}", ALL, somewhere(scene, 0.4)

    def _at(self, place: Area | Floor) -> str:
        return self._placed(place, "at")

    def _placed(self, place: Area | Floor, key: str) -> str:
        name = place.name.lower()
        noun = self.homes.places.get(name)
        preposition = (noun and noun.preposition) or self._words["in"]
        template = self._words[key].replace("{in}", preposition)
        return template.replace("{p}", self.place_mark(noun) if noun else name)

    def place_mark(self, noun: Noun) -> str:
        """A room with its article in all cases."""
        return marks.named(noun.gender, self.forms("the", "", noun, ""))

    def place(self, place: Area | Floor, context: Context) -> str:
        """A template: in a room, on a floor."""
        return self._placed(place, f"at {context}")

    def here(self, context: Context) -> str:
        """A template: where the speaker is."""
        empty = "|||" if context == "wish" else ""
        return f"({empty}{self._words['here']})"

    def house(self, context: Context) -> str:
        """A template: in the whole house, often not said."""
        return f"(||{self._words['house']})"

    def off_at(self, place: Area | Floor) -> str:
        """A template: switch a room off."""
        return self._placed(place, "off at")

    # Timers, lists, calendars.

    def timer_of_place(self, place: Area) -> str:
        """A template: the timer of a room."""
        return self._placed(place, "timer at")

    def timer_for(self, name: str) -> str:
        """A template: the timer with a name."""
        return self._words["timer for"].replace("{t}", name)

    def list_named(self, rng: random.Random, name: str) -> str:
        """A list of the home."""
        if self._noun_of(name) is not None:
            return self.called(rng, name)
        return self.expand(rng, self._words["list named"].replace("{t}", name))

    def is_shopping(self, name: str) -> bool:
        """Whether a list of that name is for shopping."""
        return any(part in name for part in self._words["shopping"].split("|"))

    def shopping_list(self, rng: random.Random) -> str:
        """The shopping list that everybody has."""
        return self._of(rng, "shopping lists")

    def only_list(self, rng: random.Random) -> str:
        """The list, whichever it is."""
        return self._of(rng, "lists")

    def _of(self, rng: random.Random, section: str) -> str:
        noun = rng.choice(self._lexicon.nouns(section))
        forms = self.forms(rng.choice(("the", "the", "my")), "", noun, "")
        return marks.named(noun.gender, forms)

    def calendar(self, rng: random.Random, name: str) -> str:
        """A calendar of the home."""
        if self._noun_of(name) is not None:
            return self.called(rng, name)
        return self.expand(rng, self._words["calendar"].replace("{t}", name))

    # Parts of sentences.

    def item_pair(self, first: str, second: str) -> str | None:
        """Two items in a row; None if nobody could tell them apart."""
        link = f" {self._words['and']} "
        if link in first or link in second:
            return None
        return f"{first}{link}{second}"

    def joined(self, mentions: Sequence[str]) -> str:
        """Several mentions in a row."""
        return f"{', '.join(mentions[:-1])} {self._words['and']} {mentions[-1]}"

    def linked(self, rng: random.Random, first: str, second: str) -> str:
        """Two commands in a sentence."""
        return f"{first} {self.expand(rng, self._words['then'])} {second}"

    def except_for(self, rng: random.Random, text: str, spared: str) -> str:
        """A command that spares something."""
        link = self.expand(rng, self._words["except"])
        return f"{text} {link} {self.called(rng, spared)}"

    def again(self, rng: random.Random, text: str) -> str:
        """A command as the second one in a row."""
        before, _, after = self._words["again"].partition("...")
        return self.expand(rng, f"{before} {text} {after}")

    def pronoun(self, rng: random.Random) -> str:
        """What was spoken of before."""
        gender, *forms = rng.choice(self._lexicon.lines("pronouns")).split()
        return marks.named(gender, [form.replace("_", " ") for form in forms])

    def which_state(self, states: Sequence[str]) -> str | None:
        """Not asked: the words for states are in the bank only."""
        return None

    def out_of_place(self, rng: random.Random, domain: str) -> str:
        """A command that only makes sense for a domain, with `{x}`."""
        return rng.choice(self._words[f"only {domain}"].split("|"))

    def fits_all(self, name: str) -> bool:
        """Whether a device of that name may be more than its domain says."""
        return any(part in name for part in self._words["doors"].split("|"))

    def _forms_of_group(self, options: tuple[str, ...]) -> Sequence[str] | None:
        return self.agreement(options) if all(options) else None


_PLAIN = str.maketrans("äöüéèêàâçîïôûùáíóúñąćęłńśźż", "aoueeeaaciiouuaiounacelnszz")
