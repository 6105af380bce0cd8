"""What French and Spanish share: two genders, adjectives that agree, no cases."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence

from . import marks
from .foreign import Foreign
from .lexicon import Noun


class Romance(Foreign):
    """See `Wording`."""

    plurals: frozenset[tuple[str, str]]
    """Verbs in the singular and the plural."""

    articles: Mapping[str, Sequence[str]]
    """Article -> its form for each gender."""

    def forms(
        self, article: str, before: str, noun: Noun, behind: str
    ) -> Sequence[str]:
        """The one form, with its article."""
        whole = " ".join(part for part in (before, noun.text, behind) if part)
        if not article:
            return (whole,)
        word = self.articles[article][marks.GENDERS.index(noun.gender)]
        return (self.with_article(word, whole),)

    @abstractmethod
    def with_article(self, word: str, whole: str) -> str:
        """Both together, as they sound well."""

    def case(self, before: str, behind: str, *, question: bool) -> int:
        """There is one form only."""
        return 0

    def agreement(self, options: Sequence[str]) -> Sequence[str] | None:
        """`(est|sont)`, `(allumé|allumée|allumés|allumées)`."""
        if len(options) == 2 and self._are_verbs(*options):
            one, many = options
            return (one, one, one, many, many)
        if len({len(o.split()) for o in options}) != 1:
            return None
        by_gender: dict[str, str] = {}
        for option in options:
            by_gender.setdefault(self.gender_of(option), option)
        if len(by_gender) < 2 or not self.are_of_one_word(options):
            return None
        masculine = next(by_gender[g] for g in "mfpq" if g in by_gender)
        feminine = by_gender.get("f", masculine)
        many = by_gender.get("p") or by_gender.get("q") or masculine
        return (masculine, feminine, masculine, many, by_gender.get("q", many))

    def _are_verbs(self, one: str, many: str) -> bool:
        return (one, many) in self.plurals

    @abstractmethod
    def gender_of(self, word: str) -> str:
        """What the ending tells."""

    def are_of_one_word(self, options: Sequence[str]) -> bool:
        """Whether the options are forms of the same word."""
        shortest = min(options, key=len)
        stem = shortest[: max(2, len(shortest) - 2)]
        return all(o.startswith(stem) and len(o) <= len(stem) + 4 for o in options)
