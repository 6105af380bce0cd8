"""A home prepared for each language that is spoken in it, as long as names stay."""

from __future__ import annotations

from collections import OrderedDict

from ..home import Home
from ..translation import LANGUAGES, language_of
from .hints import Grounder
from .index import NAMING_ATTRIBUTES

_MOST_LANGUAGES = 4


class Grounders:
    """Makes the grounder of a language when it is first asked for."""

    def __init__(self) -> None:
        self._home: Home | None = None
        self._names: object = None
        self._made: OrderedDict[str, Grounder] = OrderedDict()

    def of(self, home: Home, language: str) -> Grounder:
        """The grounder of the home; English where the language is not known."""
        if self._home is not home:
            self._home = home
            names = _names(home)
            if self._names != names:
                self._names = names
                self._made.clear()
        code = language_of(language)
        code = code if code in LANGUAGES else "en"
        if code not in self._made:
            self._made[code] = Grounder(home, code)
        self._made.move_to_end(code)
        while len(self._made) > _MOST_LANGUAGES:
            self._made.popitem(last=False)
        return self._made[code]


def _names(home: Home) -> object:
    """All of a home that grounding looks at: names and options, but no states."""
    return (
        home.floors,
        home.areas,
        tuple(
            (
                e.entity_id,
                e.name,
                e.aliases,
                e.area,
                e.device_class,
                *(repr(e.attributes.get(a)) for a in NAMING_ATTRIBUTES),
            )
            for e in home.entities
        ),
    )
