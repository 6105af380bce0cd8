"""How names are found: by sound, by synonym, by another name of a room, by spelling."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homellm_edge._similarity import Vocabulary, similarity
from homellm_edge.grounding import Grounder
from homellm_edge.grounding.index import build_index
from homellm_edge.grounding.lexicon import PLACES_ALSO_CALLED, SYNONYMS
from homellm_edge.grounding.text import singular, sound_of, tokens, words
from homellm_edge.home import Home, home_from_dict


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("kitchen", "kitchin"),
        ("office", "offis"),
        ("zorblatt", "sorblat"),
        ("phoenix", "fenix"),
        ("bedroom", "bedrum"),
        ("photograph", "fotograf"),
        ("quiet", "kwiet"),
        ("xavier", "ksavier"),
    ],
)
def test_what_sounds_alike(one: str, other: str) -> None:
    assert sound_of(one) == sound_of(other) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("kitchen", "chicken"),
        ("bedroom", "bathroom"),
        ("office", "garage"),
        ("upstairs", "downstairs"),
    ],
)
def test_what_sounds_unlike(one: str, other: str) -> None:
    assert sound_of(one) != sound_of(other)


@given(st.text(max_size=12))
def test_a_sound_is_short_and_says_enough_or_nothing(word: str) -> None:
    sound = sound_of(word)
    assert sound == "" or len(sound) > 2
    assert len(word) >= 5 or not sound
    assert all(a != b for a, b in pairwise(sound))  # `ll` sounds like `l`


@given(st.text())
def test_any_text_has_tokens_in_lower_case(text: str) -> None:
    for token in tokens(text):
        assert token.text
        assert not set(token.text) & set("<>|~{}\"' \n")
        assert token.text == token.text.casefold()


def test_figures_that_are_no_decimal_digits_are_words() -> None:
    assert [t.number for t in tokens("፩ ② ٣")] == [None, 2.0, 3.0]


def _home(*names: str, areas: tuple[str, ...] = ()) -> Home:
    data: dict[str, Any] = {
        "areas": [{"id": f"a{n}", "name": name} for n, name in enumerate(areas)],
        "entities": [
            {"entity_id": f"light.l{n}", "name": name, "state": "off"}
            for n, name in enumerate(names)
        ],
    }
    return home_from_dict(data)


@pytest.mark.parametrize("group", SYNONYMS, ids=lambda g: "-".join(sorted(g)))
def test_every_word_of_a_group_stands_for_each_other(group: frozenset[str]) -> None:
    """Plural ones too: `stairs` and `kids` are looked up without their s."""
    for word in group:
        lookup = build_index(_home(f"{word} zorblatt")).lookup
        for said in group:
            hits = lookup.hits(said, singular(said), sound_of(said), False)
            assert hits[word] == 1.0 if said == word else hits[word] >= 0.9


def test_no_synonym_where_the_home_has_both() -> None:
    lookup = build_index(_home("hall lamp", "corridor lamp")).lookup
    assert lookup.hits("hallway", "hallway", "", False) == {}
    assert lookup.hits("hall", "hall", "", False) == {"hall": 1.0}


def test_a_synonym_finds_the_device() -> None:
    grounder = Grounder(_home("Stairs Spot", "Sofa Spot"))
    assert grounder.ground("staircase spot on").entities == ("light.l0",)
    assert grounder.ground("couch spot on").entities == ("light.l1",)


@pytest.mark.parametrize("name", ["Zone Two", "Zone 2"])
@pytest.mark.parametrize("said", ["zone two on", "zone 2 on"])
def test_a_number_in_a_name_is_one_however_written(name: str, said: str) -> None:
    found = Grounder(_home(name, "Zone Three")).ground(said)
    assert (found.text, found.entities) == ("<E1>= light on", ("light.l0",))


@pytest.mark.parametrize("group", PLACES_ALSO_CALLED, ids=lambda g: g[0])
def test_a_room_has_all_the_names_of_its_group(group: tuple[str, ...]) -> None:
    for name in group:
        grounder = Grounder(_home(areas=(name.title(), "Zorblatt")))
        for said in group:
            assert grounder.ground(f"what is on in the {said}").places == ("a0",), said


def test_a_room_has_no_name_that_might_mean_another() -> None:
    index = build_index(_home(areas=("Bathroom", "Toilet")))
    assert {(p.id, p.words) for p in index.places} == {
        ("a0", ("bathroom",)),
        ("a1", ("toilet",)),
    }


def _hits(
    vocabulary: list[str],
    synonyms: dict[str, list[str]],
    text: str,
    *,
    fuzzy: bool,
) -> dict[str, float]:
    """What `Vocabulary.hits` promises, written down plainly."""
    found: dict[str, float] = {}
    for word in vocabulary:
        if word == text:
            value = 1.0
        elif singular(word) == singular(text):
            value = 0.95
        elif fuzzy and similarity(text, word) >= 0.7:
            value = similarity(text, word)
        else:
            value = 0.0
        if word in synonyms.get(singular(text), ()):
            value = max(value, 0.9)
        if fuzzy and sound_of(text) and sound_of(text) == sound_of(word):
            value = max(value, 0.75)
        if value:
            found[word] = value
    return found


_LETTERS = st.text(alphabet="aekcstphz", min_size=1, max_size=9)
_KNOWN = st.sampled_from("kitchen kitchens kitschen lights light office offis".split())
_WORDS = _LETTERS | _KNOWN


@given(
    st.lists(_WORDS, unique=True, max_size=12),
    st.lists(_WORDS, min_size=1, max_size=6),
    st.booleans(),
    st.data(),
)
def test_hits_are_those_of_a_plain_loop(
    vocabulary: list[str], said: list[str], fuzzy: bool, data: st.DataObject
) -> None:
    synonyms = {}
    if vocabulary:
        meant = st.lists(st.sampled_from(vocabulary), max_size=3)
        synonyms = data.draw(st.dictionaries(_WORDS.map(singular), meant, max_size=4))
    lookup = Vocabulary(
        vocabulary,
        [singular(w) for w in vocabulary],
        [sound_of(w) for w in vocabulary],
        synonyms,
    )
    for text in [*said, *vocabulary, *synonyms, *said]:  # twice: once from memory
        wanted = _hits(vocabulary, synonyms, text, fuzzy=fuzzy)
        assert lookup.hits(text, singular(text), sound_of(text), fuzzy) == wanted
        exact = _hits(vocabulary, synonyms, text, fuzzy=False)
        assert lookup.hits(text, singular(text), sound_of(text), False) == exact


def test_what_is_remembered_is_bounded_and_stays_right() -> None:
    lookup = Vocabulary(["kitchen"], ["kitchen"], [sound_of("kitchen")], {})
    for number in range(5100):
        lookup.hits(f"k{number}", f"k{number}", "", True)
    assert lookup.hits("kitchin", "kitchin", sound_of("kitchin"), True) == {
        "kitchen": similarity("kitchin", "kitchen")
    }


def test_words_drop_apostrophes_and_keep_letters_of_any_script() -> None:
    assert words("Anna\u2019s Küche, 厨房 & 21,5\u202f°C") == [
        "annas", "küche", "厨房", "21,5", "degrees", "c",
    ]  # fmt: skip
