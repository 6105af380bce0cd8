"""Sentence -> mentions: which devices, areas and numbers does it speak of?

Deterministic and fuzzy: typing errors, dropped words, plurals, joined words. The
result is a list of candidates with a quality mark; what is wanted of them is the
model's part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..text import written
from .index import HomeIndex, is_noun_of
from .lexicon import (
    ARTICLES,
    ATTRIBUTE_NOUNS,
    COMMAND_WORDS,
    CONNECTORS,
    DOMAINS_OF_NOUN,
    MEASURED,
    STOP_WORDS,
    VERBS_AND_NOUNS,
)
from .text import Token, singular, sound_of

EXACT, GOOD, WEAK = "=", "~", "?"
MAX_CANDIDATES = 4

_PLACE_THRESHOLD = 0.75
_CONTEXT = 0.8
_LOWEST = 0.38
_BEHIND_BEST = 0.22


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entity (its number in the index) that a mention may mean."""

    entity: int
    quality: str
    score: float


@dataclass(frozen=True, slots=True)
class Mention:
    """A run of tokens that names devices or places; `positions` are ascending."""

    positions: tuple[int, ...]
    candidates: tuple[Candidate, ...]
    places: tuple[str, ...]
    by_pronoun: bool = False


def split_joined(index: HomeIndex, tokens: Sequence[Token]) -> list[Token]:
    """Split `livingroom` and join `bed room` where the home writes it the other way."""
    out: list[Token] = []
    for token in tokens:
        pair = index.joined.get(token.text)
        if pair and token.text not in index.vocabulary:
            rest = None if token.written is None else ""
            out += [replace(token, text=pair[0]), Token(pair[1], written=rest)]
            continue
        if out and out[-1].number is None and token.number is None:
            both = out[-1].text + token.text
            if (
                both in index.vocabulary
                and len(both) > 5
                and not {out[-1].text, token.text} <= index.vocabulary
            ):
                whole = written([out[-1], token])
                out[-1] = replace(out[-1], text=both, written=whole)
                continue
        out.append(token)
    return out


def find_mentions(
    index: HomeIndex, tokens: list[Token], here: str | None = None
) -> list[Mention]:
    """The mentions in a sentence, in order; `here` is the area of the speaker."""
    hits = [_hits(index, token.text) for token in tokens]
    windows = _place_windows(index, tokens, hits)
    spans = _spans(index, tokens, hits, windows)
    # `all lights off upstairs`: a place of its own narrows what has none.
    alone = {
        place
        for (place, _), at in windows.items()
        for span in spans
        if set(at) == set(span)
    }
    mentions = []
    for span in spans:
        inside = set(span)
        places = [(w, at) for w, at in windows.items() if set(at) <= inside]
        places = [
            (place, at)
            for place, at in places
            if not any(set(at) < set(other) for _, other in places)
        ]
        candidates = _candidates(index, tokens, hits, span, places, alone, here)
        if candidates or places:
            names = tuple(dict.fromkeys(place for (place, _), _ in places))
            mentions.append(Mention(tuple(span), candidates, names[:2]))
    return mentions


def _hits(index: HomeIndex, text: str) -> dict[str, float]:
    """Words of the home that this token may be, with their similarity."""
    fuzzy = text not in STOP_WORDS and text not in COMMAND_WORDS
    hits: dict[str, float] = index.lookup.hits(
        text, singular(text), sound_of(text), fuzzy
    )
    return hits


def _place_windows(
    index: HomeIndex, tokens: list[Token], hits: list[dict[str, float]]
) -> dict[tuple[str, int], tuple[int, ...]]:
    """(place id, start) -> positions of the tokens that name it."""
    found: dict[tuple[str, int], tuple[int, ...]] = {}
    for place in index.places:
        length = len(place.words)
        first = place.words[0]
        for start in range(len(tokens) - length + 1):
            if hits[start].get(first, 0) >= _PLACE_THRESHOLD and all(
                hits[start + k].get(word, 0) >= _PLACE_THRESHOLD
                for k, word in enumerate(place.words)
            ):
                known = found.get((place.id, start), ())
                if length > len(known):
                    found[place.id, start] = tuple(range(start, start + length))
    return found


def _spans(
    index: HomeIndex,
    tokens: list[Token],
    hits: list[dict[str, float]],
    windows: dict[tuple[str, int], tuple[int, ...]],
) -> list[list[int]]:
    marked = {p for at in windows.values() for p in at}
    for at, token in enumerate(tokens):
        text = token.text
        if token.number is not None or text in STOP_WORDS:
            continue
        is_noun = text in DOMAINS_OF_NOUN or singular(text) in DOMAINS_OF_NOUN
        if not (hits[at] or is_noun):
            continue
        if text in VERBS_AND_NOUNS and not _is_noun_here(index, tokens, hits, at):
            continue
        marked.add(at)
    # Numbers and function words belong to a mention where a name has that very pair.
    for step in (1, -1):
        order = range(len(tokens)) if step == 1 else reversed(range(len(tokens)))
        for at in order:
            near = at - step
            if at in marked or near not in marked:
                continue
            pair = (near, at) if step == 1 else (at, near)
            if _is_pair(index, hits, tokens, pair[0], pair[1]):
                marked.add(at)
    spans: list[list[int]] = []
    for at in sorted(marked):
        last = spans[-1][-1] if spans else -9
        between = [t.text for t in tokens[last + 1 : at]] if last >= 0 else ["-"]
        near = at - last <= 3 and all(w in CONNECTORS for w in between)
        if near and not (between and tokens[last].text in ATTRIBUTE_NOUNS):
            spans[-1].append(at)
        else:
            spans.append([at])
    return [
        s
        for s in spans
        if any(tokens[p].number is None and tokens[p].text not in MEASURED for p in s)
        or _is_name(index, [tokens[p].text for p in s])
    ]


def _is_name(index: HomeIndex, texts: list[str]) -> bool:
    """Whether these words alone are the whole name of something."""
    return any(
        index.names[at].words == tuple(texts)
        for at in index.names_of_word.get(texts[0], ())
    )


def _is_pair(
    index: HomeIndex,
    hits: list[dict[str, float]],
    tokens: list[Token],
    first: int,
    second: int,
) -> bool:
    if first < 0 or second >= len(tokens):
        return False
    befores = {tokens[first].text, *hits[first]}
    afters = {tokens[second].text, *hits[second]}
    return any((a, b) in index.bigrams for a in befores for b in afters)


def _is_noun_here(
    index: HomeIndex, tokens: list[Token], hits: list[dict[str, float]], at: int
) -> bool:
    """Whether an ambiguous word (`light`, `lock`, `open`) names a thing here."""
    if at == 0:
        return len(tokens) > 1 and _is_pair(index, hits, tokens, 0, 1)
    before = tokens[at - 1].text
    if before in ARTICLES or before in ("of", "is", "are"):
        return True
    if _is_pair(index, hits, tokens, at - 1, at):
        return True
    if _is_pair(index, hits, tokens, at, at + 1):
        return True
    if before not in STOP_WORDS and before not in VERBS_AND_NOUNS:
        return bool(hits[at - 1]) or before in DOMAINS_OF_NOUN
    return before in ("on", "off", "up", "down")


def _candidates(
    index: HomeIndex,
    tokens: list[Token],
    hits: list[dict[str, float]],
    span: list[int],
    places: list[tuple[tuple[str, int], tuple[int, ...]]],
    alone: set[str],
    here: str | None,
) -> tuple[Candidate, ...]:
    texts = [tokens[p].text for p in span]
    in_place = {p for _, at in places for p in at}
    generic = [tokens[p].text for p in span if p not in in_place]
    scored = _score_names(index, hits, texts, span)
    best = max((score for score, _ in scored.values()), default=0.0)
    if best < 2 and all(
        w in DOMAINS_OF_NOUN or singular(w) in DOMAINS_OF_NOUN for w in generic
    ):
        wanted = {place for (place, _), _ in places} or alone
        return _generic(index, generic, wanted, here, scored)
    for number, nouns in enumerate(index.kind_nouns):
        if number in scored:
            continue
        explained = [
            _CONTEXT if w in index.place_words[number] or is_noun_of(w, nouns) else 0.0
            for w in texts
        ]
        share = sum(explained) / len(explained)
        if share >= 0.75:
            scored[number] = (0.5 * share, False)
    if best >= 2:
        kept = [(n, s, EXACT) for n, (s, _) in scored.items() if s >= 2]
        near = [(n, s, GOOD) for n, (s, _) in scored.items() if 1 < s < 2]
        kept += near
    else:
        best = max((score for score, _ in scored.values()), default=0.0)
        floor = max(_LOWEST, best - _BEHIND_BEST)
        kept = [
            (n, s, EXACT if exact else GOOD if s >= 0.75 else WEAK)
            for n, (s, exact) in scored.items()
            if s >= floor
        ]
    nearby = index.members.get(here or "", frozenset())
    kept.sort(key=lambda item: (-item[1] - 0.05 * (item[0] in nearby), item[0]))
    return tuple(Candidate(n, q, s) for n, s, q in kept[:MAX_CANDIDATES])


def _score_names(
    index: HomeIndex,
    hits: list[dict[str, float]],
    texts: list[str],
    span: list[int],
) -> dict[int, tuple[float, bool]]:
    """Entity -> (score, exact): 2 = this very name, 1.5 = name and its own area."""
    similar: dict[str, dict[int, float]] = {}
    for position in span:
        for word, value in hits[position].items():
            similar.setdefault(word, {})[position] = value
    rows = {at for word in similar for at in index.names_of_word.get(word, ())}
    best: dict[int, tuple[float, bool]] = {}
    for at in sorted(rows):
        name = index.names[at]
        covered = 0.0
        all_equal = True
        of_position: dict[int, float] = {}
        for word, weight in zip(name.words, name.weights, strict=True):
            found = similar.get(word, {})
            value = max(found.values(), default=0.0)
            covered += weight * value
            all_equal = all_equal and value == 1.0
            for position, s in found.items():
                of_position[position] = max(of_position.get(position, 0.0), s)
        nouns = index.kind_nouns[name.entity]
        context = index.place_words[name.entity]
        explained = [
            max(
                of_position.get(p, 0.0),
                _CONTEXT if w in context or is_noun_of(w, nouns) else 0.0,
            )
            for p, w in zip(span, texts, strict=True)
        ]
        if covered <= 0.2:
            continue
        if all_equal and all(of_position.get(p) == 1.0 for p in span):
            score = 2.0
        elif all_equal and all(value >= _CONTEXT for value in explained):
            score = 1.5
        else:
            score = 0.5 * covered + 0.5 * sum(explained) / len(explained)
        if score > best.get(name.entity, (0.0, False))[0]:
            best[name.entity] = (score, score > 1)
    return best


def _generic(
    index: HomeIndex,
    nouns: list[str],
    places: set[str],
    here: str | None,
    scored: dict[int, tuple[float, bool]],
) -> tuple[Candidate, ...]:
    """Candidates of a mention that only says what kind of thing and perhaps where."""
    if not nouns:
        return ()
    pool = set(range(len(index.entities)))
    if places:
        pool &= set().union(*(index.members.get(p, ()) for p in places))
    fitting = [
        n
        for n in sorted(pool)
        if all(is_noun_of(w, index.kind_nouns[n]) for w in nouns)
    ]
    if not fitting and not places:  # `the dishwasher` may be any switch called so
        fitting = [n for n, (score, _) in scored.items() if score >= 0.6]
    if not places and here:
        near = [n for n in fitting if n in index.members.get(here, frozenset())]
        fitting = near or fitting
    # A part of a name (`the speaker` of `Living Room Speaker`) beats the mere kind.
    plural = any(singular(w) != w for w in nouns)
    named = [] if plural else [n for n in fitting if n in scored]
    if named and len(named) < len(fitting):
        fitting = named
    if len(fitting) > MAX_CANDIDATES - 1:
        return ()
    quality = GOOD if len(fitting) == 1 else WEAK
    return tuple(
        Candidate(n, EXACT if scored.get(n, (0, False))[1] else quality, 0.6)
        for n in fitting
    )
