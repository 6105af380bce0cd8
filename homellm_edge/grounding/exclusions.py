"""`all the lights except the lamp`: what is asked for, and what is to be spared."""

from __future__ import annotations

from collections.abc import Sequence

from ..home import Home
from .hints import Grounder
from .text import Token

_LINKS: tuple[tuple[str, ...], ...] = (
    ("except", "for"),
    ("except",),
    ("apart", "from"),
    ("aside", "from"),
    ("other", "than"),
    ("but", "not"),
    ("but", "leave"),
    ("but", "keep"),
    ("and", "leave"),
    ("just", "not"),
    ("only", "not"),
    ("excluding",),
    ("besides",),
    ("all", "but"),
    ("everything", "but"),
    ("everywhere", "but"),
    ("not", "counting"),
    ("with", "the", "exception", "of"),
    ("without", "touching"),
    ("but", "the"),
    ("but", "my"),
    ("but", "for"),
)
_ONLY_OF_ALL = frozenset({("but", "the"), ("but", "my"), ("but", "for")})
"""`its warm but the fan is off` spares nothing, though `its` ends like a plural."""

_WHOLE = frozenset("all every everything everywhere each any both whole".split())


def split_exclusion(
    sentence: Sequence[Token],
) -> tuple[Sequence[Token], Sequence[Token]]:
    """(what is asked for, what is to be spared); the second is empty if nothing is.

    Only behind a word that speaks of many: `not the lamp` alone is another matter.
    """
    texts = [t.text for t in sentence]
    for at in range(1, len(texts)):
        for link in _LINKS:
            if tuple(texts[at : at + len(link)]) != link:
                continue
            kept = at + 1 if link[0] in _WHOLE else at
            before, after = texts[:kept], texts[at + len(link) :]
            many = not _WHOLE.isdisjoint(before) or (
                link not in _ONLY_OF_ALL and any(t.endswith("s") for t in before)
            )
            if len(before) > 1 and after and many:
                return sentence[:kept], sentence[at + len(link) :]
    return sentence, ()


def spared(
    grounder: Grounder, home: Home, words: Sequence[Token], here: str | None
) -> Sequence[str] | None:
    """Ids of the entities that the words name; None if they name nothing."""
    found = grounder.ground(words, here)
    ids: dict[str, None] = {}
    for mention in found.mentions:
        if mention.candidates:
            best = mention.candidates[0].score
            for candidate in mention.candidates:
                if candidate.score >= best - 0.01:
                    ids[grounder.index.entities[candidate.entity].entity_id] = None
        else:
            for place in mention.places:
                ids |= dict.fromkeys(e.entity_id for e in home.members(place))
    return tuple(ids) or None
