"""Bytes on their way to the reader: whole characters, nothing of a stop string."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from homellm_edge.engine.output import OutputFilter

TEXT = st.text(st.sampled_from("abc\n`é日🏠ß"), max_size=40)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    marks = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[a:b] for a, b in pairwise(marks)]


@given(text=TEXT, places=st.lists(st.integers(0, 200), max_size=12))
def test_chunks_are_whole_characters_and_lose_nothing(
    text: str, places: list[int]
) -> None:
    output = OutputFilter()
    chunks = [output.feed(piece) for piece in cut(text.encode(), places)]
    chunks.append(output.finish())
    assert "".join(chunk.decode() for chunk in chunks) == text


@given(
    text=TEXT,
    places=st.lists(st.integers(0, 200), max_size=12),
    stops=st.lists(st.text("ab`é", min_size=1, max_size=4), max_size=3),
)
def test_output_ends_before_the_first_stop_string(
    text: str, places: list[int], stops: list[str]
) -> None:
    output = OutputFilter(tuple(stops))
    got = ""
    for piece in cut(text.encode(), places):
        got += output.feed(piece).decode()
        if output.stopped:
            break
    got += output.finish().decode()
    found = [text.find(stop) for stop in stops if stop in text]
    assert output.stopped == bool(found)
    if not found:
        assert got == text
    else:
        # fed in pieces, the stop string that is complete first ends the output
        ends = [text.find(stop) + len(stop) for stop in stops if stop in text]
        assert text.startswith(got)
        assert not any(stop in got for stop in stops)
        assert (
            min(found)
            <= len(got) + max(map(len, stops))
            <= max(ends) + max(map(len, stops))
        )


@given(data=st.binary(max_size=40), places=st.lists(st.integers(0, 60), max_size=8))
def test_bytes_that_are_no_utf8_pass(data: bytes, places: list[int]) -> None:
    output = OutputFilter()
    got = b"".join(output.feed(piece) for piece in cut(data, places))
    got += output.finish()
    assert data.startswith(got)
    assert len(data) - len(got) <= 3


def test_an_unfinished_character_at_the_end_is_dropped() -> None:
    output = OutputFilter()
    assert output.feed("aé".encode()[:2]) == b"a"
    assert output.finish() == b""


def test_what_might_become_a_stop_string_waits() -> None:
    output = OutputFilter(("<end>",))
    assert output.feed(b"a<e") == b"a"
    assert output.feed(b"x") == b"<ex"
    assert output.feed(b"<end") == b""
    assert output.finish() == b"<end"
