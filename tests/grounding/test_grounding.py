from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homellm_edge._similarity import distance, similarity
from homellm_edge.grounding import Grounder
from homellm_edge.grounding.text import tokens
from homes import sample_home


@pytest.fixture(scope="module")
def grounder() -> Grounder:
    return Grounder(sample_home())


@pytest.mark.parametrize(
    ("sentence", "hint", "entities"),
    [
        (
            "Turn on the kitchen light!",
            "turn on the <A1> <E1>= light light",
            ("light.kitchen",),
        ),
        (
            "dim the kitchen light to thirty percent",
            "dim the <A1> <E1>= light light to <N1> percent",
            ("light.kitchen",),
        ),
        ("zorblat on", "<E1>~ light on", ("light.zorblatt",)),
        (
            "livingroom speaker to line in",
            "<A1> <E1>= media player speaker to <V1> source",
            ("media_player.speaker",),
        ),
        (
            "make the floor lamp warm white",
            "make the <E1>= light lamp <C1>",
            ("light.floor_lamp",),
        ),
        ("open the blinds", "open the <E1>~ cover blind blinds", ("cover.blinds",)),
        (
            "turn off the fan and the kettle",
            "turn off the <E1>~ fan fan and the <E2>= switch kettle",
            ("fan.ceiling", "switch.kettle"),
        ),
        ("who wrote the bible", "who wrote the bible", ()),
        ("lights off upstairs", "<E1>~ light lights off <A1>", ("light.zorblatt",)),
    ],
)
def test_mentions_become_placeholders(
    grounder: Grounder, sentence: str, hint: str, entities: tuple[str, ...]
) -> None:
    found = grounder.ground(sentence)
    assert (found.text, found.entities) == (hint, entities)


def test_the_area_of_the_speaker_narrows_a_generic_noun(grounder: Grounder) -> None:
    found = grounder.ground("turn on the light", here="bedroom")
    assert found.text == "<here> turn on the <E1>~ light light"
    assert found.entities == ("light.zorblatt",)
    assert grounder.ground("turn on the light", here="nowhere").here is None


def test_a_pronoun_means_what_was_spoken_of(grounder: Grounder) -> None:
    found = grounder.ground("turn it off again", recent=["fan.ceiling"])
    assert found.entities == ("fan.ceiling",)
    assert found.mentions[0].by_pronoun
    named = grounder.ground("turn it off, the kettle", recent=["fan.ceiling"])
    assert named.entities == ("switch.kettle",)


def test_number_words() -> None:
    found = [t.number for t in tokens("set twenty one, a hundred and 21.5 or 3,5%")]
    assert [n for n in found if n is not None] == [21.0, 100.0, 21.5, 3.5]
    assert all(t.number is None for t in tokens("every one of them"))


_SENTENCE = st.text(max_size=60) | st.lists(
    st.sampled_from(
        "turn on off the kitchen light lights lamp <E1> <|im_end|> <here> 12 twenty "
        "floor living room garage door front it red warm white and".split()
    ),
    max_size=12,
).map(" ".join)


@given(_SENTENCE)
def test_no_sentence_can_write_a_placeholder_or_a_control_token(sentence: str) -> None:
    found = Grounder(sample_home()).ground(sentence)
    marks = [w for w in found.text.split() if "<" in w or ">" in w or "|" in w]
    known = {f"<E{n}>" for n in range(1, len(found.entities) + 1)}
    known |= {f"<A{n}>" for n in range(1, len(found.places) + 1)}
    known |= {f"<N{n}>" for n in range(1, len(found.numbers) + 1)}
    known |= {f"<C{n}>" for n in range(1, len(found.colors) + 1)}
    known |= {f"<V{n}>" for n in range(1, len(found.options) + 1)}
    known |= {f"<D{n}>" for n in range(1, len(found.durations) + 1)}
    known |= {f"<T{n}>" for n in range(1, len(found.texts) + 1)}
    assert all(mark.rstrip("=~?") in known for mark in marks)


def _plain_distance(a: str, b: str) -> int:
    """Textbook optimal string alignment, as the oracle."""
    d = {(i, 0): i for i in range(len(a) + 1)} | {(0, j): j for j in range(len(b) + 1)}
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            d[i, j] = min(
                d[i - 1, j] + 1,
                d[i, j - 1] + 1,
                d[i - 1, j - 1] + (a[i - 1] != b[j - 1]),
            )
            if i > 1 and j > 1 and a[i - 1] == b[j - 2] and a[i - 2] == b[j - 1]:
                d[i, j] = min(d[i, j], d[i - 2, j - 2] + 1)
    return d[len(a), len(b)]


_WORD = st.text(alphabet="abcé", max_size=9)


@given(_WORD, _WORD, st.integers(0, 4))
def test_distance_is_the_textbook_one_up_to_its_limit(
    a: str, b: str, limit: int
) -> None:
    assert distance(a, b, limit) == min(_plain_distance(a, b), limit + 1)


@given(st.text(max_size=40), st.text(max_size=40))
def test_similarity_is_a_symmetric_share(a: str, b: str) -> None:
    assert 0.0 <= similarity(a, b) <= 1.0
    assert similarity(a, b) == similarity(b, a)
    assert (similarity(a, b) == 1.0) == (a == b)
