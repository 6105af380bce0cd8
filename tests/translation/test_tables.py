"""The table of each language: sentences and the English words it gives them."""

from __future__ import annotations

from types import ModuleType

import pytest

import cases_de
import cases_es
import cases_fr
import cases_pl
from homellm_edge.translation import LANGUAGES, translation_of

CASES: dict[str, ModuleType] = {
    "de": cases_de,
    "es": cases_es,
    "fr": cases_fr,
    "pl": cases_pl,
}
_DONE_AT_ONCE = frozenset("unlock unlocked unlatch disarm disarmed".split())
_NEGATED = frozenset("not dont never no".split())


def _all(name: str) -> list[tuple[str, object]]:
    return [(code, case) for code, m in CASES.items() for case in getattr(m, name)]


def _english(language: str, sentence: str) -> str:
    translation = translation_of(language)
    assert translation is not None
    return " ".join(token.text for token in translation.tokens(sentence))


def test_every_table_has_cases() -> None:
    assert set(CASES) == set(LANGUAGES)


@pytest.mark.parametrize(("language", "pair"), _all("PAIRS"))
def test_says_in_english_what_is_wanted(language: str, pair: tuple[str, str]) -> None:
    sentence, english = pair
    assert _english(language, sentence) == english


@pytest.mark.parametrize(("language", "sentence"), _all("LOCKING"))
def test_what_locks_never_unlocks(language: str, sentence: str) -> None:
    assert _DONE_AT_ONCE.isdisjoint(_english(language, sentence).split())


@pytest.mark.parametrize(("language", "sentence"), _all("FORBIDDEN"))
def test_what_is_forbidden_stays_forbidden(language: str, sentence: str) -> None:
    assert not _NEGATED.isdisjoint(_english(language, sentence).split())
