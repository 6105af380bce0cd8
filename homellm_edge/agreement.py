"""Does a sentence say yes to what was asked back?"""

from __future__ import annotations

from .text import words
from .translation import translation_of

_YES = frozenset("yes yeah yep sure ok okay confirm correct definitely".split())
_WITH_YES = _YES | frozenset(
    "please do make go ahead it that is really thanks i".split()
)


def agrees(text: str, language: str) -> bool:
    """Whether it says yes and nothing else; a word with a slip in it says nothing."""
    translation = translation_of(language)
    if translation is None:
        said = set(words(text))
    else:
        said = {token.text for token in translation.tokens(text)}
    return bool(said & _YES) and said <= _WITH_YES
