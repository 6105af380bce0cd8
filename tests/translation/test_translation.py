"""The translation by a table: what its rules mean, and that no word is lost."""

from __future__ import annotations

import statistics
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homellm_edge.grounding import Grounder
from homellm_edge.text import tokens, words
from homellm_edge.translation import (
    LANGUAGES,
    Translation,
    language_of,
    translation_of,
)
from homellm_edge.translation.table import TableError, parse_table
from homes import sample_home

TABLE = """
# verbs
mach, mache = make
schließ = close
schließ .. auf $ = unlock
stell .. auf = set
bitte, mal =
das, der, die = the
licht = light
lampe = lamp
lampen = lamps
küche = kitchen
haustür = front door
auf = to
auf $ = up
an $ = on
^ an = at
ein = a
und = and
wie viele = how many
rote = red
fünf = 5
hundert = hundred
türen = doors
tören = gates
"""


def german(table: str = TABLE) -> Translation:
    return Translation("de", parse_table(table, "de.txt"))


def said(text: str, translation: Translation | None = None) -> str:
    return " ".join(t.text for t in (translation or german()).tokens(text))


@pytest.mark.parametrize(
    ("sentence", "english"),
    [
        ("Mach bitte das Licht an!", "make the light on"),
        ("wie viele lampen", "how many lamps"),
        ("mach das licht an und das licht", "make the light on and the light"),
        ("mach das licht an, das licht", "make the light on the light"),
        ("mach das licht an bitte mal", "make the light on"),
        ("an das licht", "at the light"),
        ("licht an das licht", "light an the light"),
        ("schließ die haustür", "close the front door"),
        ("schließ bitte die haustür auf", "unlock the front door"),
        ("schließ die haustür mal auf und mach das licht an",
         "unlock the front door and make the light on"),
        ("schließ die haustür, mach das licht auf",
         "close the front door make the light up"),
        ("stell das licht auf fünf", "set the light 5"),
        ("licht auf ein hundert", "light to 100"),
        ("kuche kueche KÜCHE schliess", "kitchen kitchen kitchen close"),
        ("küchenlicht haustürlampe", "kitchen light front door lamp"),
        ("zorblatt", "zorblatt"),
        ("größe", "grosse"),
        ("tueren", "doors"),
        ("21,5", "21.5"),
        ("lichtung", "lichtung"),
    ],
)  # fmt: skip
def test_a_sentence_in_english_words(sentence: str, english: str) -> None:
    assert said(sentence) == english


def test_the_speakers_own_words_are_kept() -> None:
    found = german().tokens("Rote Beete für die Haustür, fünf Straßen")
    assert [t.own for t in found] == [
        "rote", "beete", "für", "die", "haustür", "", "fünf", "straßen",
    ]  # fmt: skip
    assert [t.text for t in found if t.pause] == ["5"]


def test_french_elisions_are_words_of_their_own() -> None:
    rules = parse_table("l = the\nampoule = bulb\nd = of\nqu = that\njusqu = until", "")
    french = Translation("fr", rules)
    assert said("L\u2019ampoule d'Emma", french) == "the bulb of emma"
    assert said("jusqu'à qu'il", french) == "until a that il"
    assert [t.own for t in french.tokens("l'ampoule")] == ["l'", "ampoule"]
    assert said("aujourd'hui", french) == "aujourdhui"
    assert said("geht's") == "gehts"


@pytest.mark.parametrize(
    ("slip", "english", "guessed"),
    [
        ("lihct", "light", True),
        ("lmape", "lamp", True),
        ("lichtt", "light", True),
        ("lampee", "lampee", False),  # lampe or lampen
        ("licd", "licd", False),  # too short to tell
        ("haustur", "front", False),  # only without its dots
        ("zorblatt", "zorblatt", False),
    ],
)
def test_a_slip_takes_the_meaning_of_the_only_word_that_is_near(
    slip: str, english: str, guessed: bool
) -> None:
    first = german().tokens(slip, lambda word: False)[0]
    assert (first.text, first.guessed, first.own) == (english, guessed, slip)
    assert not german().tokens(slip)[0].guessed


def test_a_word_of_the_home_is_no_slip() -> None:
    assert german().tokens("lichtt", lambda word: word == "lichtt")[0].text == "lichtt"
    assert german().tokens("lichtt")[0].text == "lichtt"


def test_a_slip_near_two_meanings_stays() -> None:
    two = german("turm = tower\nsturm = storm\nturmm = x")
    assert said("durm", two) == "durm"
    between = german("lampen = lamps\nrampen = ramps")
    assert [t.text for t in between.tokens("hampen", lambda word: False)] == ["hampen"]


def test_diacritics_that_leave_two_meanings_decide_nothing() -> None:
    assert said("turen", german("türen = doors\ntùren = gates")) == "turen"
    assert said("turen", german("türen = doors\ntùren = doors")) == "doors"


def test_a_name_is_translated_as_inside_a_sentence() -> None:
    assert german().spellings("Licht an") == [("light", "an")]
    assert german().spellings("Jörgs Lampe") == [("jorgs", "lamp"), ("joergs", "lamp")]
    assert german().spellings("Bitte") == [("bitte",)]


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("licht", "no `=`"),
        ("Licht = light", "capitals"),
        ("licht = Light", "not plain"),
        ("licht = on/off", "not plain"),
        ("geht's = goes", "no word"),
        ("e-mail = mail", "no word"),
        ("licht, = light", "empty key"),
        ("mach .. $ = open", "empty key"),
        ("$ = light", "empty key"),
        ("lampe = light", "means 'lamp' in line 2"),
    ],
)
def test_a_wrong_line_is_named(line: str, cause: str) -> None:
    with pytest.raises(TableError, match=f"^de.txt:4: .*{cause}") as err:
        parse_table(f"# lamps\nlampe = lamp\n\n{line}\n", "de.txt")
    assert err.value.cure


def test_the_same_line_twice_is_no_error() -> None:
    assert len(parse_table("licht = light\nlicht, lampe = light", "")) == 2


def test_languages_and_regions() -> None:
    assert {"de", "es", "fr", "pl"} <= set(LANGUAGES)
    assert translation_of("de-AT") is translation_of("de_CH") is translation_of("DE")
    assert translation_of("en-GB") is translation_of("xx") is translation_of("") is None
    assert language_of("pt_BR") == "pt"


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_is_quick(language: str) -> None:
    translation = translation_of(language)
    assert translation is not None
    sentence = {
        "de": "mach bitte die rollos im wohnzimmer halb zu und das radio lauter",
        "fr": "ferme les volets du salon à moitié et monte le son de la radio",
        "es": "baja las persianas del salón a la mitad y sube el volumen de la radio",
        "pl": "opuść rolety w salonie do połowy i zrób radio trochę głośniej",
    }[language]
    took = []
    for _ in range(50):
        began = time.process_time()
        translation.tokens(sentence, lambda word: False)
        took.append(time.process_time() - began)
    assert statistics.median(took) < 0.001


_WORDS = st.sampled_from(
    "mach schließ auf an und bitte die küche l'air d'été qu'on z'a lampe, 21,5 % ß "
    "twenty one a hundred rote . fünf wie viele éteins otwórz ŁÓDŹ l' ' "
    "l\u2019eau".split()
)
_TEXTS = st.one_of(st.text(max_size=60), st.lists(_WORDS, max_size=12).map(" ".join))


@given(_TEXTS, st.sampled_from(LANGUAGES))
def test_any_text_translates_and_no_word_is_lost(text: str, language: str) -> None:
    translation = translation_of(language)
    assert translation is not None
    text += " zorblatt"  # behind it nothing is dropped
    whole = "".join(words(text.lower()))
    for found in (translation.tokens(text), translation.tokens(text, lambda _: False)):
        own = "".join(t.dropped + t.own for t in found)
        assert "".join(own.replace("'", "").split()).casefold() == whole
        assert all(t.text == t.text.casefold() != "" for t in found)
        assert found[-1].own == "zorblatt"
    assert all(translation.spellings(text))


_ENGLISH = [Grounder(sample_home(), language) for language in ("en", "xx")]


@given(_TEXTS)
def test_english_is_as_it_was_said(text: str) -> None:
    found = tokens(text)
    assert all(t.written is None and not t.dropped and not t.guessed for t in found)
    assert all(g.read(text) == tuple(found) for g in _ENGLISH)
