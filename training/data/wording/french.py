"""French: elision, contractions, participles that agree."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .romance import Romance

_ARTICLES = {
    "the": ("le", "la", "le", "les", "les"),
    "my": ("mon", "ma", "mon", "mes", "mes"),
    "a": ("un", "une", "un", "des", "des"),
    "all": ("tous les", "toutes les", "tous les", "tous les", "toutes les"),
}
_VOWELS = "aeiouéèêâàîôh"
_ASPIRATED = ("haut", "hotte", "hall", "hifi")
_ONES = (
    "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze "
    "quinze seize dix-sept dix-huit dix-neuf"
).split()
_TENS = "vingt trente quarante cinquante soixante".split()
_SETS = (
    ("le", "la", "le", "les", "les"),
    ("tous", "toutes"),
    ("certains", "certaines"),
    ("quels", "quelles"),
    ("lesquels", "lesquelles"),
)
_VERBS = (
    "est sont|a ont|doit doivent|peut peuvent|soit soient|fait font|va vont|"
    "marche marchent|tourne tournent|joue jouent|indique indiquent|reste restent|"
    "devrait devraient|dit disent|affiche affichent|mesure mesurent|"
    "éclaire éclairent|chauffe chauffent|était étaient"
)


class French(Romance):
    """See `Wording`."""

    language = "fr"
    plurals = frozenset(
        (one, many)
        for one, _, many in (pair.partition(" ") for pair in _VERBS.split("|"))
    )

    articles = _ARTICLES

    def with_article(self, word: str, whole: str) -> str:
        """`l'ampoule`, `mon ampoule`."""
        elided = whole[0] in _VOWELS and not whole.startswith(_ASPIRATED)
        if elided and word in ("le", "la"):
            return f"l'{whole}"
        if elided and word == "ma":
            word = "mon"
        return f"{word} {whole}"

    def agreement(self, options: Sequence[str]) -> Sequence[str] | None:
        """Pronouns besides what romance languages share."""
        if set(options) == {"le", "la", "les"}:
            return _SETS[0]
        for known in _SETS[1:]:
            if tuple(options) == known:
                return (known[0], known[1], known[0], *known)
        return super().agreement(options)

    def gender_of(self, word: str) -> str:
        """`e`, `s` and `es`."""
        last = word.split()[0]
        if last.endswith("es"):
            return "q"
        if last.endswith("s"):
            return "p"
        return "f" if last.endswith(("e", "he")) and not last.endswith("é") else "m"

    def spell(self, number: int) -> str:
        """A number below 100 in words."""
        if number < 20:
            return _ONES[number]
        if number < 70:
            tens, ones = divmod(number, 10)
            link = " et " if ones == 1 else " "
            return _TENS[tens - 2] + (link + _ONES[ones] if ones else "")
        if number < 80:
            link = " et " if number == 71 else " "
            return f"soixante{link}{_ONES[number - 60]}"
        rest = number - 80
        return f"quatre vingt {_ONES[rest]}" if rest else "quatre vingts"

    def spell_for(self, number: int, noun: str) -> str:
        """`une minute`: the units are feminine."""
        text = self.spell(number)
        return f"{text}e" if text.endswith("un") else text

    def contracted(self, text: str) -> str:
        """`de le salon` becomes `du salon`."""
        for article, melted in (("le", "du"), ("les", "des")):
            text = re.sub(rf"\bde {article} (?!.{{0,12}}er\b)", f"{melted} ", text)
        for article, melted in (("le", "au"), ("les", "aux")):
            text = re.sub(rf"\bà {article} (?!.{{0,12}}er\b)", f"{melted} ", text)
        text = re.sub(r"\b(de|que|si) (?=(il|ils|elle|elles|on)\b)", _elided, text)
        return re.sub(r"\bde (?=[aeiouéèê])", "d'", text)


def _elided(found: re.Match[str]) -> str:
    word, following = found[1], found[2]
    if word == "si" and not following.startswith("il"):
        return found[0]
    return f"{word[:-1]}'"
