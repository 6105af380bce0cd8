"""All that is said in one language, as data: templates, nouns, states, dates, numbers.

The texts of a language are the file `LANGUAGE.json` beside this one. A language that is
not there is told in English.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ..errors import HomellmEdgeError
from ..home import Entity
from .template import Template, parse

LANGUAGES = ("en", "de", "fr", "es", "pl")
"""The languages that replies are there for."""

WORD_SECTIONS = ("states", "options", "attributes", "weather")
TEMPLATE_SECTIONS = ("replies", "done", "alone", "asked", "said", "errors")
NOUN_SECTIONS = ("domains", "scopes", "units")
_DAY_NAMES = ("weekdays", "on_weekdays", "until_weekdays")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Noun:
    """A word for a kind of thing, for each plural category, and its gender."""

    gender: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Subject:
    """What a sentence is about: `the lamp and the fan`, and its grammatical form."""

    text: str
    form: int


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of one language and its few rules of grammar.

    A `form` is a place in `forms`: what words that speak of a subject agree with. For
    each plural category `counted_forms` says which form so many have (`*`: the gender).
    """

    language: str
    decimal: str
    plural: Callable[[float], int]
    forms: tuple[str, ...]
    counted_forms: tuple[str, ...]
    article: str
    joined_clauses: bool
    """Whether all that was done is told in one sentence."""
    none_counted: int
    """The plural category of what there is none of."""
    head_last: bool
    """Whether the last word of a name, before a preposition, tells its form."""
    prepositions: frozenset[str]
    endings: Mapping[str, str]
    """Ending of that word -> form."""
    templates: Mapping[str, Template]
    """`section.key` -> template."""
    nouns: Mapping[str, Noun]
    days: Mapping[str, tuple[str, ...]]
    months: tuple[str, ...]
    first_of_month: str
    hour_digits: int
    errors: tuple[tuple[re.Pattern[str], str], ...]
    """English sentence of an error -> key of its template."""

    def has(self, key: str) -> bool:
        """Whether there is a template of that key."""
        return key in self.templates

    def slots(self, key: str) -> frozenset[str]:
        """The slots of a template."""
        return self.templates[key].slots

    def say(
        self,
        key: str,
        values: Mapping[str, str] | None = None,
        *,
        form: int = 0,
        count: float = 1,
    ) -> str:
        """The text of a key, filled in."""
        return self.fill(self.templates[key], values or {}, form=form, count=count)

    def fill(
        self, template: Template, values: Mapping[str, str], *, form: int, count: float
    ) -> str:
        """A template of this language, filled in."""
        return template.fill(values, form=form, category=self.plural(count))

    def word(self, section: str, value: str, form: int = 0) -> str:
        """A word of Home Assistant's in this language; others as they are."""
        key = f"{section}.{value}"
        if key in self.templates:
            return self.say(key, form=form)
        return value.replace("_", " ")

    def state(self, value: str, form: int = 0) -> str:
        """A state in words; numbers as they are written here."""
        return self.word("states", self.number(value), form)

    def option(self, value: str) -> str:
        """A mode or setting as it is called; English has Home Assistant's own words."""
        return value if self.language == LANGUAGES[0] else self.word("options", value)

    def attribute(self, value: str) -> str:
        """What is measured, with its article where nouns have one."""
        known = self.has(f"attributes.{value}")
        return self.say(f"attributes.{value}") if known else value

    def noun_of(self, attribute: str) -> str:
        """The word by which a name says that it is about this attribute."""
        if self.language == LANGUAGES[0]:
            return attribute
        return re.split(r"[\s']", self.attribute(attribute).casefold())[-1]

    def number(self, value: object) -> str:
        """A number, or a text that is one, with the decimal sign of the language."""
        told = f"{value:g}" if isinstance(value, float) else str(value)
        return told.replace(".", self.decimal) if _NUMBER.fullmatch(told) else told

    def degrees(self, value: float) -> str:
        """`21.5 degrees`."""
        number = self.number(f"{value:g}")
        return self.say("said.degrees", {"number": number}, count=value)

    def percent(self, value: object) -> str:
        """`50 percent`."""
        return self.say("said.percent", {"number": self.number(value)})

    def duration(self, seconds: int) -> str:
        """`1 hour 30 minutes`: the two largest units."""
        minutes, rest = divmod(max(seconds, 0), 60)
        hours, minutes = divmod(minutes, 60)
        counts = ((hours, "hour"), (minutes, "minute"), (rest, "second"))
        parts = [self.counted(f"units.{unit}", n) for n, unit in counts if n]
        return " ".join(parts[:2]) or self.counted("units.second", 0)

    def counted(self, noun: str, count: int) -> str:
        """`5 lights`."""
        return f"{count} {self.noun(noun, count)}"

    def noun(self, noun: str, count: float) -> str:
        """`light` or `lights`."""
        return self.noun_in(noun, self.plural(count))

    def noun_in(self, noun: str, category: int) -> str:
        """The noun in a plural category."""
        words = self.nouns[noun].words
        return words[min(category, len(words) - 1)]

    def noun_form(self, noun: str, category: int) -> int:
        """The form of so many of a thing."""
        form = self.counted_forms[category].replace("*", self.nouns[noun].gender)
        return self.forms.index(form)

    def name(self, entity: Entity) -> str:
        """`the kitchen light`: the name as it is spoken in a sentence."""
        name = " ".join(entity.name.split())
        if name.casefold().startswith(("the ", "my ", "our ")) or "'s " in name:
            return name
        return name if entity.domain == "person" else f"{self.article}{name}"

    def form_of(self, entity: Entity) -> int:
        """The form of a name, by the ending of its most telling word."""
        head = ""
        for word in entity.name.casefold().split():
            if head and word in self.prepositions:
                break
            head = word if self.head_last or not head else head
        for length in range(len(head), 0, -1):
            if form := self.endings.get(head[-length:]):
                return self.forms.index(form)
        return 0

    def subject(self, entities: Sequence[Entity]) -> Subject:
        """The names of these as a subject."""
        text = self.joined([self.name(e) for e in entities])
        forms = {self.forms[self.form_of(e)] for e in entities}
        if len(entities) < 2:
            return Subject(text, self.form_of(entities[0]) if entities else 0)
        genders = {form[0] for form in forms}
        gender = genders.pop() if len(genders) == 1 else self.forms[0]
        form = self.counted_forms[1].replace("*", gender)
        return Subject(text, self.forms.index(form))

    def joined(self, names: Sequence[str]) -> str:
        """`a`, `a and b`, `a, b and c`."""
        if len(names) < 2:
            return "".join(names)
        return f"{', '.join(names[:-1])} {self.say('said.and')} {names[-1]}"

    def clock(self, moment: datetime) -> str:
        """A time of the day."""
        hour = str(moment.hour).zfill(self.hour_digits)
        values = {"hour": hour, "minute": f"{moment.minute:02}"}
        return self.say("said.clock" if moment.minute else "said.full_hour", values)

    def date(self, key: str, moment: datetime, weekday: str = "weekdays") -> str:
        """A template with the day, month, year and day of the week of a moment."""
        values = {
            "weekday": self.days[weekday][moment.weekday()],
            "day": self.first_of_month if moment.day == 1 else str(moment.day),
            "month": self.months[moment.month - 1],
            "year": str(moment.year),
        }
        return self.say(key, values)

    def error(self, error: str) -> str:
        """A failure that is known, in this language; "" if it is not."""
        told = error.strip().rstrip(".")
        for pattern, key in self.errors:
            if match := pattern.fullmatch(told):
                return self.say(key, match.groupdict())
        return ""


def texts_for(language: str) -> Texts:
    """The texts of a language; of English if it is not there. `de-AT` is German."""
    reduced = language.replace("_", "-").partition("-")[0].lower()
    return _load(reduced if reduced in LANGUAGES else LANGUAGES[0])


@functools.cache
def _load(language: str) -> Texts:
    data = json.loads(_FILES[language])
    english = json.loads(_FILES[LANGUAGES[0]])["errors"]
    grammar = data["grammar"]
    forms = tuple(grammar["forms"])
    counted_forms = tuple(grammar["counted_forms"])
    templates = {}
    for section in (*TEMPLATE_SECTIONS, *WORD_SECTIONS):
        for key, text in data[section].items():
            name = f"{section}.{key}"
            templates[name] = parse(
                text, forms=len(forms), categories=len(counted_forms)
            )
    endings = {
        ending: form
        for form, words in grammar["endings"].items()
        for ending in words.split()
    }
    return Texts(
        language=language,
        decimal=grammar["decimal"],
        plural=_PLURALS[grammar["plural"]],
        forms=forms,
        counted_forms=counted_forms,
        article=grammar["article"],
        joined_clauses=grammar["joined_clauses"],
        none_counted=grammar["none_counted"],
        head_last=grammar["head_last"],
        prepositions=frozenset(grammar["prepositions"].split()),
        endings=endings,
        templates=templates,
        nouns={
            f"{section}.{key}": _noun(text)
            for section in NOUN_SECTIONS
            for key, text in data[section].items()
        },
        days={key: tuple(data["dates"][key].split("|")) for key in _DAY_NAMES},
        months=tuple(data["dates"]["months"].split("|")),
        first_of_month=data["dates"]["first_of_month"],
        hour_digits=data["dates"]["hour_digits"],
        errors=tuple(
            (_pattern(text), f"errors.{key}") for key, text in english.items()
        ),
    )


def _read(language: str) -> str:
    path = Path(__file__).with_name(f"{language}.json")
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as err:
        raise HomellmEdgeError(
            f"the replies in {path} cannot be read: {err}", "install the library again"
        ) from err


_FILES: Mapping[str, str] = {language: _read(language) for language in LANGUAGES}
"""Read at once, as turns run where no file may be read; parsed when first needed."""


def _noun(text: str) -> Noun:
    gender, _, words = text.partition(" ")
    return Noun(gender, tuple(words.split("|")))


def _pattern(english: str) -> re.Pattern[str]:
    """What matches the sentence whatever its slots hold; letters in any case."""
    parts = re.split(r"\{([a-z_]+)\}", english)
    texts = [
        re.escape(p) if n % 2 == 0 else f"(?P<{p}>.+)" for n, p in enumerate(parts)
    ]
    return re.compile("".join(texts), re.IGNORECASE | re.DOTALL)


def _one_other(count: float) -> int:
    return 0 if count == 1 else 1


def _french(count: float) -> int:
    return 0 if abs(count) < 2 else 1


def _polish(count: float) -> int:
    """One, few (2 to 4, not 12 to 14), many, fractions."""
    if count != int(count):
        return 3
    count = abs(int(count))
    if count == 1:
        return 0
    return 1 if 2 <= count % 10 <= 4 and not 12 <= count % 100 <= 14 else 2


_PLURALS: Mapping[str, Callable[[float], int]] = {
    "one_other": _one_other,
    "french": _french,
    "polish": _polish,
}
