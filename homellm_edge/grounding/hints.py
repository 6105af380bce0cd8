"""Grounding: a sentence with its mentions replaced by placeholders, and what they mean.

`switch off the kitchen lamp at thirty percent` becomes
`switch off the <A1><E1>= light lamp at <N1> percent`. The model only ever sees
placeholders, so a device name that nobody trained on is as good as any other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from ..home import Entity, Home
from ..phrases import load
from ..translation import LANGUAGES, translation_of
from .index import HomeIndex, build_index
from .lexicon import COLORS, DOMAINS_OF_NOUN, PRONOUNS
from .matcher import GOOD, Candidate, Mention, find_mentions, split_joined
from .spans import Duration, find_durations, find_texts, text_of
from .spelling import corrected, correction, may_hold_own_words
from .text import Token, singular, sound_of, tokens

MAX_ENTITIES = 8
MAX_PLACES = 4
MAX_NUMBERS = 4
MAX_COLORS = 2
MAX_OPTIONS = 2
MAX_DURATIONS = 2
MAX_TEXTS = 6
HERE = "<here>"
_CLASS = re.compile(r"[a-z0-9_]{1,40}")
"""Others are none of Home Assistant's, and might hold the marks of a prompt."""

_KEPT = frozenset(["all", "every", "both", "each"])


@dataclass(frozen=True, slots=True)
class Grounding:
    """The sentence for the model and the meaning of its placeholders.

    `entities[0]` is what `<E1>` stands for, and so on; `qualities` tells how well it
    matched (`=` exact, `~` good, `?` weak). `here` is the area of the speaker. Texts
    are (start, end) in `tokens`.
    """

    text: str
    entities: tuple[str, ...] = ()
    qualities: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    numbers: tuple[float, ...] = ()
    colors: tuple[Mapping[str, Any], ...] = ()
    options: tuple[str, ...] = ()
    durations: tuple[Duration, ...] = ()
    texts: tuple[tuple[int, int], ...] = ()
    here: str | None = None
    tokens: tuple[Token, ...] = field(default=(), repr=False)
    mentions: tuple[Mention, ...] = field(default=(), repr=False)
    firsts: tuple[str, ...] = field(default=(), repr=False)
    guessed: frozenset[str] = field(default=frozenset(), repr=False)
    """Words that were not said but put in place of slips."""

    def first_of(self, mention: Mention) -> str:
        """The entity that a mention means best; "" if it names only a place."""
        return self.firsts[self.mentions.index(mention)]

    def written(self, first: int, last: int, *, counted: bool = False) -> str:
        """The speaker's own words from one text to another, numbered from 0."""
        start, end = self.texts[first][0], self.texts[last][1]
        return text_of(self.tokens, start, end, counted=counted)


_WORDS = re.compile(r"[^\W_]+")


def prepare() -> None:
    """Read what the first sentence would wait for; blocks for a second or more."""
    _phrase_words()
    for language in LANGUAGES:
        translation_of(language)


@lru_cache(maxsize=1)
def _phrase_words() -> frozenset[str]:
    """All words of the English phrase bank: none of them is a slip."""
    return frozenset(
        word
        for section in load("en").sections
        for template in section.templates
        for word in _WORDS.findall(template)
    )


class Grounder:
    """Grounds sentences in one home; make a new one when names change, not states."""

    def __init__(self, home: Home, language: str = "en") -> None:
        """Prepare a home for sentences of a language; English if there is none such."""
        self.language = language
        self._translation = translation_of(language)
        self._index = build_index(home, self._translation)
        self._option_words = frozenset(
            word
            for options in self._index.options
            for option in options
            for word in option.words
        )

    def _is_of_home(self, word: str) -> bool:
        """Whether a word is one of the home's names or options, or much like one."""
        return word in self._option_words or bool(
            self._index.lookup.hits(word, singular(word), sound_of(word), True)
        )

    def _is_known(self, word: str) -> bool:
        """Whether a word is one of the home's, or of how people speak of it."""
        if word in _phrase_words():
            return True
        # `temprature` is as good as a word of the home that is called so
        return self._is_of_home(word) and correction(word) not in self._index.vocabulary

    @property
    def index(self) -> HomeIndex:
        """The prepared names; entity numbers in mentions refer to it."""
        return self._index

    def read(self, sentence: str) -> tuple[Token, ...]:
        """The words of a sentence in English, slips of another language put right."""
        if self._translation is None:
            return tuple(tokens(sentence))
        parts = self._translation.tokens(sentence)
        if not may_hold_own_words(parts):
            parts = self._translation.tokens(sentence, self._is_of_home)
        return tuple(parts)

    def ground(
        self,
        sentence: str | Sequence[Token],
        here: str | None = None,
        recent: Sequence[str] = (),
    ) -> Grounding:
        """Ground a sentence; `recent` are the entities that a pronoun may mean."""
        index = self._index
        if here is not None and not index.members.get(here):
            here = None
        read = self.read(sentence) if isinstance(sentence, str) else sentence
        parts = split_joined(index, read)
        if self._translation is None:
            parts = corrected(parts, self._is_known)
        mentions = find_mentions(index, parts, here)
        mentions = _without_items(index, parts, mentions)
        if not any(m.candidates for m in mentions):
            mentions = _with_pronoun(index, parts, mentions, recent)
        found = render(index, parts, mentions, here)
        said = {t.text for t in parts if not t.guessed}
        guessed = frozenset(t.text for t in parts) - said
        return replace(found, guessed=guessed) if guessed else found


def render(
    index: HomeIndex,
    parts: Sequence[Token],
    mentions: Sequence[Mention],
    here: str | None,
) -> Grounding:
    """Write the sentence with placeholders. Training adds noise to mentions first."""
    entities: list[int] = []
    qualities: list[str] = []
    places: list[str] = []
    numbers: list[float] = []
    colors: list[Mapping[str, Any]] = []
    options: list[str] = []
    starts = {m.positions[0]: m for m in mentions}
    inside = {p for m in mentions for p in m.positions}
    durations = find_durations(parts, inside)[:MAX_DURATIONS]
    ends = {d.start: d for d in durations}
    taken = inside | {p for d in durations for p in range(d.start, d.end)}
    chosen = _options(index, parts, mentions, taken)
    taken |= {p for at, (n, _, _) in chosen.items() for p in range(at, at + n)}
    texts = _texts(parts, taken)
    opens = {start: n for n, (start, _) in enumerate(texts, 1)}
    colored = {p for start, end in texts for p in range(start, end)}
    out = [HERE] if here else []
    at = 0
    while at < len(parts):
        token = parts[at]
        if at in ends:
            out.append(f"<D{durations.index(ends[at]) + 1}>")
            at = ends[at].end
            continue
        if at in opens:
            out.append(f"<T{opens[at]}>")
        if at in starts:
            marks = []
            for place in starts[at].places:
                if place not in places and len(places) < MAX_PLACES:
                    places.append(place)
                if place in places:
                    marks.append(f"<A{places.index(place) + 1}>")
            for candidate in starts[at].candidates:
                number = candidate.entity
                if number not in entities and len(entities) < MAX_ENTITIES:
                    entities.append(number)
                    qualities.append(candidate.quality)
                if number in entities:
                    kind = _kind(index.entities[number])
                    mark = f"<E{entities.index(number) + 1}>"
                    marks.append(f"{mark}{candidate.quality} {kind}")
            if marks:
                out.append(" ".join(marks))
        if at in inside:
            noun = (
                token.text in DOMAINS_OF_NOUN or singular(token.text) in DOMAINS_OF_NOUN
            )
            if noun or token.text in _KEPT or token.text in PRONOUNS:
                out.append(token.text)
            at += 1
            continue
        if at in chosen:
            length, attribute, option = chosen[at]
            if option not in options and len(options) < MAX_OPTIONS:
                options.append(option)
            if option in options:
                out.append(f"<V{options.index(option) + 1}> {attribute}")
                at += length
                continue
        if token.number is not None:
            if token.number not in numbers and len(numbers) < MAX_NUMBERS:
                numbers.append(token.number)
            if token.number in numbers:
                out.append(f"<N{numbers.index(token.number) + 1}>")
                at += 1
                continue
        length, color = _color(parts, at, inside | colored)
        if color is not None and (color in colors or len(colors) < MAX_COLORS):
            if color not in colors:
                colors.append(color)
            out.append(f"<C{colors.index(color) + 1}>")
            at += length
            continue
        out.append(token.text)
        at += 1
    return Grounding(
        text=" ".join(out),
        entities=tuple(index.entities[n].entity_id for n in entities),
        qualities=tuple(qualities),
        places=tuple(places),
        numbers=tuple(numbers),
        colors=tuple(colors),
        options=tuple(options),
        durations=tuple(durations),
        texts=tuple(texts),
        here=here,
        tokens=tuple(parts),
        mentions=tuple(mentions),
        firsts=tuple(
            index.entities[m.candidates[0].entity].entity_id if m.candidates else ""
            for m in mentions
        ),
    )


def _texts(parts: Sequence[Token], taken: set[int]) -> list[tuple[int, int]]:
    """Runs of free text; a colour on its own stays a colour.

    But not where another language says `juice of orange`.
    """
    found: list[tuple[int, int]] = []
    for start, end in find_texts(parts, taken, ()):
        length, color = _color(parts, start, set())
        of_text = (
            parts[start].written is not None
            and start > 1
            and parts[start - 1].text == "of"
            and any(stop == start - 1 for _, stop in found)
        )
        if color is None or end - start > length or of_text:
            found.append((start, end))
    return found[:MAX_TEXTS]


def _without_items(
    index: HomeIndex, parts: Sequence[Token], mentions: list[Mention]
) -> list[Mention]:
    """`light bulbs` on a list are no lights: beside a list only that is mentioned."""
    lists = [
        m
        for m in mentions
        if any(index.entities[c.entity].domain == "todo" for c in m.candidates)
    ]
    if not lists and not any(t.text in ("list", "lists") for t in parts):
        return mentions
    return [
        m
        for m in mentions
        if m in lists or any(c.quality == "=" and c.score >= 2 for c in m.candidates)
    ]


def _with_pronoun(
    index: HomeIndex,
    parts: Sequence[Token],
    mentions: list[Mention],
    recent: Sequence[str],
) -> list[Mention]:
    number_of = {e.entity_id: n for n, e in enumerate(index.entities)}
    known = [number_of[r] for r in recent if r in number_of]
    taken = {p for m in mentions for p in m.positions}
    for at, token in enumerate(parts):
        if known and token.text in PRONOUNS and at not in taken:
            candidates = tuple(Candidate(n, GOOD, 0.8) for n in known[:3])
            return sorted(
                [*mentions, Mention((at,), candidates, (), by_pronoun=True)],
                key=lambda m: m.positions[0],
            )
    return mentions


def _kind(entity: Entity) -> str:
    """What the model is told about an entity: its domain and, if it matters, class."""
    named = entity.device_class or ""
    if entity.domain in ("sensor", "binary_sensor", "cover") and _CLASS.fullmatch(
        named
    ):
        return f"{entity.domain} {named.replace('_', ' ')}"
    return entity.domain.replace("_", " ")


def _options(
    index: HomeIndex,
    parts: Sequence[Token],
    mentions: Sequence[Mention],
    inside: set[int],
) -> dict[int, tuple[int, str, str]]:
    """Start -> (length, attribute word, option) of named sources, presets, effects."""
    numbers = {c.entity for m in mentions for c in m.candidates}
    found: dict[int, tuple[int, str, str]] = {}
    for number in sorted(numbers):
        for option in index.options[number]:
            length = len(option.words)
            for at in range(len(parts) - length + 1):
                window = range(at, at + length)
                if (
                    inside.isdisjoint(window)
                    and tuple(parts[p].text for p in window) == option.words
                    and length > found.get(at, (0,))[0]
                ):
                    kind = option.attribute.partition("_")[0]
                    found[at] = (length, kind, option.value)
    return found


def _color(
    parts: Sequence[Token], at: int, inside: set[int]
) -> tuple[int, Mapping[str, Any] | None]:
    for length in (2, 1):
        window = range(at, at + length)
        if at + length <= len(parts) and inside.isdisjoint(window):
            value = COLORS.get(tuple(parts[p].text for p in window))
            if value is not None:
                return length, value
    return 0, None
