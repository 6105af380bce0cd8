from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from homellm_edge.stream import Malformed, Object, Speech, StreamEvent, StreamParser

BLOCK = '```homeassistant\n{"service": "light.turn_on"}\n```'


def _parse(data: bytes, sizes: list[int]) -> list[StreamEvent]:
    parser = StreamParser()
    events: list[StreamEvent] = []
    at = 0
    for size in sizes:
        events += parser.feed(data[at : at + size])
        at += size
    events += parser.feed(data[at:])
    return events + parser.finish()


def _speech(events: list[StreamEvent]) -> str:
    return "".join(e.text for e in events if isinstance(e, Speech))


def _rest(events: list[StreamEvent]) -> list[StreamEvent]:
    return [e for e in events if not isinstance(e, Speech)]


def test_speech_then_a_call() -> None:
    events = _parse(f"Sure.\n{BLOCK}".encode(), [])
    assert _speech(events) == "Sure.\n"
    assert _rest(events) == [Object({"service": "light.turn_on"})]


def test_the_call_is_known_at_its_line_end() -> None:
    parser = StreamParser()
    before, after = BLOCK[: BLOCK.index("}") + 1], BLOCK[BLOCK.index("}") + 1 :]
    assert parser.feed(before.encode()) == []
    assert parser.feed(after[:1].encode()) == [Object({"service": "light.turn_on"})]


def test_backticks_that_open_nothing_are_speech() -> None:
    for text in ("a `b` c", "```python\nx\n```", "``", "ends in ```homeassist"):
        assert _speech(_parse(text.encode(), [])) == text


def test_what_is_no_object_is_reported_and_the_rest_kept() -> None:
    text = '```homeassistant\nnonsense\n[1]\n{"reply": "ok"}\n'
    events = _parse(text.encode(), [])
    kinds = [type(e) for e in events]
    assert kinds == [Malformed, Malformed, Object]


def test_a_block_cut_off_at_the_end_still_gives_its_call() -> None:
    events = _parse(b'```homeassistant\n{"reply": "stay"}', [])
    assert events == [Object({"reply": "stay"})]


def test_an_endless_line_is_given_up() -> None:
    events = _parse(b"```homeassistant\n" + b"x" * 20000, [])
    assert all(isinstance(e, Malformed) for e in events)
    assert events


_PIECES = st.lists(
    st.sampled_from(
        ["Hi ", "`", "``", "```", "homeassistant", "\n", '{"a": 1}', "{", "é", "🙂 "]
    ),
    max_size=12,
).map("".join)


@settings(max_examples=600)
@given(_PIECES, st.lists(st.integers(1, 5), max_size=20))
def test_how_the_bytes_are_cut_makes_no_difference(text: str, sizes: list[int]) -> None:
    whole = _parse(text.encode(), [])
    cut = _parse(text.encode(), sizes)
    assert _speech(whole) == _speech(cut)
    assert _rest(whole) == _rest(cut)


@given(st.binary(max_size=80))
def test_any_bytes_are_parsed_without_an_error(data: bytes) -> None:
    _parse(data, [3, 7])
