"""Spanish: `al`, `del`, participles and pronouns at verbs that agree."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .romance import Romance

_ARTICLES = {
    "the": ("el", "la", "el", "los", "las"),
    "my": ("mi", "mi", "mi", "mis", "mis"),
    "a": ("un", "una", "un", "unos", "unas"),
    "all": ("todos los", "todas las", "todos los", "todos los", "todas las"),
}
_ENDINGS = (("as", "q"), ("os", "p"), ("es", "p"), ("a", "f"), ("o", "m"), ("e", "m"))
_ONES = (
    "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce "
    "quince dieciséis diecisiete dieciocho diecinueve veinte veintiuno veintidós "
    "veintitrés veinticuatro veinticinco veintiséis veintisiete veintiocho veintinueve"
).split()
_TENS = "treinta cuarenta cincuenta sesenta setenta ochenta noventa".split()
_IRREGULAR = {
    ("es", "son"),
    ("ha", "han"),
    ("está", "están"),
    ("esté", "estén"),
    ("se ha", "se han"),
    ("va", "van"),
    ("hay", "hay"),
    ("tiene que", "tienen que"),
    ("se encienda", "se enciendan"),
}


class Spanish(Romance):
    """See `Wording`."""

    language = "es"

    articles = _ARTICLES

    def with_article(self, word: str, whole: str) -> str:
        """`el agua`, though it is feminine."""
        if whole.startswith(("agua", "alarma ", "aula")) and word == "la":
            word = "el"
        return f"{word} {whole}"

    def _are_verbs(self, one: str, many: str) -> bool:
        return (one, many) in _IRREGULAR or (
            one[-1:] in "aeáé" and many == f"{one}n" and len(one) > 2
        )

    def gender_of(self, word: str) -> str:
        """`o`, `a`, `os` and `as`."""
        first = word.split()[0]
        for ending, gender in _ENDINGS:
            if first.endswith(ending):
                return gender
        return "m"

    def are_of_one_word(self, options: Sequence[str]) -> bool:
        """Forms of a word, or of several verbs with the same pronouns behind."""
        if set(options) <= {"lo", "la", "los", "las", "el", "todos", "todas"}:
            return True
        if len(options) >= 4 and all(
            o.split()[0].endswith(("lo", "la", "los", "las")) for o in options
        ):
            return True
        return super().are_of_one_word(options)

    def spell(self, number: int) -> str:
        """A number below 100 in words."""
        if number < 30:
            return _ONES[number]
        tens, ones = divmod(number, 10)
        return _TENS[tens - 3] + (f" y {_ONES[ones]}" if ones else "")

    def spell_for(self, number: int, noun: str) -> str:
        """`una hora`, `veintiún minutos`."""
        text = self.spell(number)
        if text.endswith("uno"):
            return text[:-1] + "a" if noun.startswith(("h", "s")) else text[:-1]
        return text

    def contracted(self, text: str) -> str:
        """`de el salón` becomes `del salón`."""
        text = re.sub(r"\bde el ", "del ", text)
        return re.sub(r"\ba el ", "al ", text)
