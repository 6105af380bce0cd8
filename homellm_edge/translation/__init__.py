"""Other languages: a sentence word by word in the English words that commands have.

`mach das licht in der küche auf fünfzig prozent` becomes
`make the light in the kitchen to 50 percent`. The names of a home go through the same
table, so that both sides agree; all that follows is English. docs/languages.md.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import resources

from .table import parse_table
from .translation import Translation

__all__ = ["LANGUAGES", "Translation", "language_of", "translation_of"]

_SUFFIX = ".txt"

LANGUAGES: tuple[str, ...] = tuple(
    sorted(
        file.name.removesuffix(_SUFFIX)
        for file in resources.files(__package__).iterdir()
        if file.name.endswith(_SUFFIX)
    )
)
"""The languages besides English whose tables come with the library."""


def translation_of(language: str) -> Translation | None:
    """The translation from a language; None for English and what there is no table for.

    The first call for a language reads its table. A region (`de-AT`, `de_CH`) plays no
    part.
    """
    code = language_of(language)
    return _translation(code) if code in LANGUAGES else None


def language_of(language: str) -> str:
    """The code without its region, in lower case."""
    return language.replace("_", "-").partition("-")[0].casefold()


@lru_cache(maxsize=16)
def _translation(code: str) -> Translation:
    file = resources.files(__package__).joinpath(code + _SUFFIX)
    return Translation(code, parse_table(file.read_text("utf-8"), file.name))
