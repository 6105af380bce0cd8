"""German: three cases, compounds, prepositions that melt with the article."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from . import marks
from .foreign import Foreign
from .lexicon import Noun

_THE = {"m": "der den dem", "f": "die die der", "n": "das das dem", "p": "die die den"}
_MY = {"m": " en em", "f": "e e er", "n": "  em", "p": "e e en"}
_WEAK = {"m": "e en en", "f": "e e en", "n": "e e en", "p": "en en en"}
_MIXED = {"m": "er en en", "f": "e e en", "n": "es es en", "p": "en en en"}
_STRONG = {"m": "er en em", "f": "e e er", "n": "es es em", "p": "e e en"}
_ENDING = re.compile(r"(e|er|es|en|em)$")
_FINITE = (
    "ist sind war waren soll sollen muss müssen kann können könnte darf dürfen dürfte "
    "braucht brauchen läuft laufen hat haben wird werden geht gehen steht stehen "
    "brennt brennen blendet heizt kühlt bleibt bleiben sagt zeigt misst macht spielt "
    "dreht leuchtet stört nervt reicht"
)
_BEFORE_NOMINATIVE = frozenset(f"{_FINITE} sollte sollten steckt dass ob wenn".split())
_AFTER_NOMINATIVE = frozenset(_FINITE.split())
_BEFORE_ACCUSATIVE = frozenset(
    "für um über durch ohne check prüf prüfe zeig lies ich du wir sondern nicht "
    "auf".split()
)
_BEFORE_DATIVE = frozenset(
    "in im an am mit von vom bei aus nach vor zu seit außer unter hinter neben".split()
)
_RESTING = re.compile(
    r"\b(hake?|erledige?|steht|stehen|ist|sind|offen|was|fehlt|spiele?|läuft|streiche?)\b"
)
"""With these, `auf` says where something is, not where it goes."""

_MELTING = (
    ("in dem", "im"),
    ("an dem", "am"),
    ("von dem", "vom"),
    ("bei dem", "beim"),
    ("zu dem", "zum"),
    ("zu der", "zur"),
)
_PRONOUNS = {"es": "n", "sie": "f", "ihn": "m", "er": "m"}
_ONES = (
    "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn "
    "vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn"
).split()
_TENS = "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig".split()


class German(Foreign):
    """See `Wording`."""

    language = "de"

    def forms(
        self, article: str, before: str, noun: Noun, behind: str
    ) -> Sequence[str]:
        """Nominative, accusative, dative."""
        gender = "p" if noun.gender in "pq" else noun.gender
        if article == "a" and gender == "p":
            article = ""
        made = []
        for case in range(3):
            word = noun.text
            if case == 2 and gender == "p" and word[-1] not in "ns":
                word += "n"
            parts = [
                _article(article, gender, case),
                _declined(before, article, gender, case),
                word,
                behind,
            ]
            made.append(" ".join(p for p in parts if p))
        return made

    def case(self, before: str, behind: str, *, question: bool) -> int:
        """The rule at the top of the bank: accusative but beside a finite verb."""
        last = before.split()[-1:] or [""]
        following = behind.split()[:1] or [""]
        if last[0] in _BEFORE_DATIVE:
            return 2
        if last[0] == "auf" and _RESTING.search(before):
            return 2
        if last[0] in _BEFORE_ACCUSATIVE:
            return 1
        if last[0] in _BEFORE_NOMINATIVE or following[0] in _AFTER_NOMINATIVE:
            return 0
        return 0 if question else 1

    def agreement(self, options: Sequence[str]) -> Sequence[str] | None:
        """`(ist|sind)` and `(es|sie|ihn)`."""
        if set(options) <= _PRONOUNS.keys() and len(options) > 1:
            accusative = "ihn" in options
            he = "ihn" if accusative else "er"
            return (he, "sie", "es", "sie", "sie")
        if len(options) == 2 and _PLURALS.get(options[0]) == options[1]:
            one, many = options
            return (one, one, one, many, many)
        return None

    def place_mark(self, noun: Noun) -> str:
        """Where something is: the dative, whatever stands before."""
        dative = self.forms("the", "", noun, "")[2]
        return marks.named(noun.gender, (dative,) * 3)

    def spell(self, number: int) -> str:
        """A number below 100 in words."""
        if number < 20:
            return _ONES[number]
        tens, ones = divmod(number, 10)
        if not ones:
            return _TENS[tens - 2]
        one = "ein" if ones == 1 else _ONES[ones]
        return f"{one}und{_TENS[tens - 2]}"

    def plain(self, text: str) -> str:
        """With ae for ä."""
        for letter, plain in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss")):
            text = text.replace(letter, plain)
        return text

    def contracted(self, text: str) -> str:
        """`in dem` becomes `im`."""
        for apart, melted in _MELTING:
            text = re.sub(rf"\b{apart}\b", melted, text)
        return text

    def compound(self, place: Noun, noun: str) -> str | None:
        """`küchenlampe`."""
        if not place.forms or " " in noun or len(noun) < 3:
            return None
        return place.forms[0] + noun

    def head_of(self, word: str, known: Mapping[str, Noun]) -> Noun | None:
        """`stehlampe` is a lamp."""
        heads = [n for n in known if len(n) >= 4 and word.endswith(n)]
        if not heads:
            return None
        head = known[max(heads, key=len)]
        return Noun(word, head.gender, head.preposition, head.forms, head.english)


_PLURALS = {
    one: many
    for one, _, many in (
        pair.partition(" ")
        for pair in (
            "ist sind|soll sollen|muss müssen|kann können|hat haben|braucht brauchen|"
            "läuft laufen|geht gehen|steht stehen|war waren|macht machen|darf dürfen|"
            "brennt brennen|zeigt zeigen|spielt spielen|leuchtet leuchten|wird werden|"
            "dreht drehen|heizt heizen|misst messen|könnte könnten|sollte sollten|"
            "bleibt bleiben|angeht angehen|sieht sehen|nervt nerven|hängt hängen|"
            "blendet blenden|flackert flackern|will wollen|fährt fahren|saugt saugen"
        ).split("|")
    )
}


def _article(article: str, gender: str, case: int) -> str:
    if article == "the":
        return _THE[gender].split()[case]
    if article == "all":
        return ("alle", "alle", "allen")[case]
    if article in ("my", "a"):
        return ("mein" if article == "my" else "ein") + _MY[gender].split(" ")[case]
    return ""


def _declined(before: str, article: str, gender: str, case: int) -> str:
    """Adjectives before a noun in their case; other words stay as they are."""
    endings = {"the": _WEAK, "all": _WEAK, "my": _MIXED, "a": _MIXED}
    ending = endings.get(article, _STRONG)[gender].split()[case]
    return " ".join(
        _ENDING.sub(ending, word, count=1) if _ENDING.sub("", word) in _STEMS else word
        for word in before.split()
    )


_STEMS = frozenset(
    "link recht groß klein neu alt ober unter vorder hinter mittler rot blau grün weiß "
    "schwarz rund lang klug erst zweit dritt elektrisch tragbar".split()
)
