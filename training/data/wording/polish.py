"""Polish: four cases by rule, with the exceptions in the word file."""

from __future__ import annotations

import re
from collections.abc import Sequence

from . import marks
from .foreign import Foreign
from .lexicon import Noun

_MY = {"m": "mój mój mojego moim", "f": "moja moją mojej mojej"}
_MY |= {"n": "moje moje mojego moim", "p": "moje moje moich moich"}
_ALL = "wszystkie wszystkie wszystkich wszystkich".split()
_ADJECTIVE = {
    "m": "y y ego ym",
    "f": "a ą ej ej",
    "n": "e e ego ym",
    "p": "e e ych ych",
}
_GENITIVE = frozenset(
    "z do od bez dla według u obok oprócz poza ze stan ile liczba ilość".split()
)
_LOCATIVE = frozenset("w na o po przy we".split())
_NOMINATIVE = frozenset(
    "niech czy jest są ma mają że gdzie kiedy pokazuje zawiera żeby to".split()
)
_ONTO = re.compile(r"\b(dodaj|dopisz|wpisz|wrzuć|dorzuć|zapisz|dodać|dopisać|wpisać|"
                   r"daj|trafi|wejdzie|wstaw|zanotuj|dołóż|przenieś)")  # fmt: skip
_NEGATED = re.compile(r"\bnie( \w+){1,2}$")
_PARTICIPLE = re.compile(r"\b(\w{3,}(?:on|an|ęt|art|sn))(?:e|y|a)\b")
_PAIRS = (
    "jest są|ma mają|działa działają|chodzi chodzą|gra grają|może mogą|musi muszą|"
    "świeci świecą|pokazuje pokazują|zostanie zostaną|była były|stoi stoją"
)
_PLURALS = dict(pair.split() for pair in _PAIRS.split("|"))
_ONES = (
    "zero jeden dwa trzy cztery pięć sześć siedem osiem dziewięć dziesięć jedenaście "
    "dwanaście trzynaście czternaście piętnaście szesnaście siedemnaście osiemnaście "
    "dziewiętnaście"
).split()
_TENS = (
    "dwadzieścia trzydzieści czterdzieści pięćdziesiąt sześćdziesiąt siedemdziesiąt "
    "osiemdziesiąt dziewięćdziesiąt"
).split()
_LOCATIVE_ENDINGS = (
    ("ka", "ce"), ("ga", "dze"), ("ta", "cie"), ("da", "dzie"), ("ra", "rze"),
    ("ła", "le"), ("cja", "cji"), ("zja", "zji"), ("nia", "ni"), ("la", "li"),
    ("ca", "cy"), ("ża", "ży"), ("sza", "szy"), ("cza", "czy"), ("ia", "i"),
    ("ja", "i"), ("a", "ie"),
)  # fmt: skip
_LOCATIVE_MASCULINE = (
    ("k", "ku"), ("g", "gu"), ("ch", "chu"), ("st", "ście"), ("r", "rze"),
    ("t", "cie"), ("d", "dzie"), ("ł", "le"), ("n", "nie"), ("s", "sie"),
    ("w", "wie"), ("m", "mie"), ("p", "pie"), ("b", "bie"), ("z", "zie"),
    ("f", "fie"), ("", "u"),
)  # fmt: skip


class Polish(Foreign):
    """See `Wording`."""

    language = "pl"

    def forms(
        self, article: str, before: str, noun: Noun, behind: str
    ) -> Sequence[str]:
        """Nominative, accusative, genitive, locative."""
        gender = "p" if noun.gender in "pq" else noun.gender
        made = []
        for case, word in enumerate(_declined(noun, gender)):
            first = ""
            if article == "my":
                first = _MY[gender].split()[case]
            elif article == "all":
                first = _ALL[case]
            parts = (
                first,
                _agreeing(before, gender, case),
                word,
                _agreeing(behind, gender, case),
            )
            made.append(" ".join(part for part in parts if part))
        return made

    def case(self, before: str, behind: str, *, question: bool) -> int:
        """Accusative in commands, nominative in questions, else what rules it."""
        last = (before.split() or [""])[-1]
        if last in _GENITIVE:
            return 2
        if last in _LOCATIVE:
            return 1 if last == "na" and _ONTO.search(before) else 3
        if last in _NOMINATIVE:
            return 0
        if last == "nie" or _NEGATED.search(before):
            return 2
        if re.match(r"(ma|mają|jest|są|musi|może|zostanie|niech)\b", behind):
            return 0
        return 0 if question else 1

    def agreement(self, options: Sequence[str]) -> Sequence[str] | None:
        """`(jest|są)`."""
        if len(options) == 2 and _PLURALS.get(options[0]) == options[1]:
            one, many = options
            return (one, one, one, many, many)
        return None

    def finished(self, text: str, gender: str) -> str:
        """Participles and verbs that are there in one gender only."""
        if not gender:
            return text
        ending = {"m": "y", "f": "a"}.get(gender, "e")
        text = re.sub(rf"(?<=\bjest )({_PARTICIPLE.pattern})", rf"\g<2>{ending}", text)
        if gender in "pq":
            return re.sub(r"\bjest(?= (?:w|na|pod|\w+[nt]e)\b)", "są", text)
        return re.sub(rf"\bsą ({_PARTICIPLE.pattern})", rf"jest \g<2>{ending}", text)

    def place_mark(self, noun: Noun) -> str:
        """Where something is: the locative, whatever stands before."""
        locative = self.forms("", "", noun, "")[3]
        return marks.named(noun.gender, (locative,) * 4)

    def spell(self, number: int) -> str:
        """A number below 100 in words."""
        if number < 20:
            return _ONES[number]
        tens, ones = divmod(number, 10)
        return _TENS[tens - 2] + (f" {_ONES[ones]}" if ones else "")

    def spell_for(self, number: int, noun: str) -> str:
        """`dwie minuty`: the units are feminine."""
        return re.sub(r"\bdwa$", "dwie", self.spell(number))

    def contracted(self, text: str) -> str:
        """`we` and `ze` before clusters."""
        return re.sub(r"\bw (?=w[bcdfghjklmnprstzł])", "we ", text)


def _agreeing(text: str, gender: str, case: int) -> str:
    """Adjectives among the words in their case; the others stay as they are."""
    return " ".join(_adjective(word, gender, case) for word in text.split())


def _adjective(word: str, gender: str, case: int) -> str:
    stem = re.sub(r"(y|i|a|e|ie)$", "", word)
    if stem not in _STEMS and not re.search(r"\w{3}(ow|czn|jn|n)[yae]$", word):
        return word
    ending = _ADJECTIVE[gender].split()[case]
    if stem.endswith(("k", "g")) and ending[0] in "ey":
        ending = {"y": "i", "e": "ie", "ego": "iego", "ej": "iej"}.get(
            ending, f"i{ending[1:]}"
        )
    return stem + ending


_STEMS = frozenset(
    "duż mał now star lew praw czerwon niebiesk biał czarn zielon główn górn doln "
    "tyln przedni okrągł ścienn robot".split()
)


def _declined(noun: Noun, gender: str) -> Sequence[str]:
    if len(noun.forms) == 3:
        return (noun.text, *noun.forms)
    head, _, rest = noun.text.partition(" ")
    cases = _cases(head, gender, noun.forms)
    return [
        f"{word} {_agreeing(rest, gender, case)}".strip()
        for case, word in enumerate(cases)
    ]


def _cases(word: str, gender: str, forms: Sequence[str]) -> Sequence[str]:
    genitive = forms[0] if forms else ""
    if gender == "f":
        if not word.endswith("a"):
            return (word, word, genitive or f"{word}i", genitive or f"{word}i")
        stem = word[:-1]
        soft = stem.endswith(("k", "g", "i", "l", "j"))
        ending = "" if stem.endswith("i") else "i" if soft else "y"
        return (word, f"{stem}ę", genitive or stem + ending, _ended(word))
    if gender == "n":
        stem = word[:-1] if word[-1] in "oe" else word
        if not word.endswith(("o", "e")):
            return (word,) * 4
        if word.endswith("ie"):
            return (word, word, f"{stem}a", f"{stem}u")
        locative = f"{stem}u" if stem[-1] in "kgc" or word[-1] == "e" else _soft(stem)
        return (word, word, f"{stem}a", locative)
    if gender == "p":
        stem = re.sub(r"[yiea]$", "", word)
        return (word, word, genitive or f"{stem}ów", f"{stem}ach")
    return (word, word, genitive or f"{word}a", _soft(word))


def _ended(word: str) -> str:
    for ending, locative in _LOCATIVE_ENDINGS:
        if word.endswith(ending):
            return word.removesuffix(ending) + locative
    return word


def _soft(word: str) -> str:
    for ending, locative in _LOCATIVE_MASCULINE:
        if word.endswith(ending):
            return word.removesuffix(ending) + locative
    return word
