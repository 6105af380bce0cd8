from __future__ import annotations

import copy
import pickle
import resource
import sys
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from homellm_edge.stream import (
    Done,
    Malformed,
    Object,
    ObjectStarted,
    Speech,
    StreamEvent,
    StreamParser,
)
from replies import Reply, chunks, parse, replies, rest, speech

BLOCK = '```homeassistant\n{"service": "light.turn_on"}\n```'


def _data(events: list[StreamEvent]) -> list[dict[str, Any]]:
    return [e.data for e in events if isinstance(e, Object)]


def _in_block(text: str) -> list[StreamEvent]:
    """The events of a block's content, without the beginnings and the end."""
    events = parse(f"```homeassistant\n{text}\n```".encode())
    assert events[-1] == Done(len(text.encode()) + 21, True)
    return [e for e in events[:-1] if not isinstance(e, ObjectStarted)]


def test_speech_then_a_call() -> None:
    text = '{"service": "light.turn_on"}'
    assert parse(f"Sure.\n{BLOCK}".encode()) == [
        Speech("Sure.\n"),
        ObjectStarted(23),
        Object("call", text, 23),
        Done(55, True),
    ]


def test_the_call_is_known_with_its_last_byte() -> None:
    parser = StreamParser()
    before = BLOCK[: BLOCK.index("}")].encode()
    assert parser.feed(before) == [ObjectStarted(17)]
    (found,) = parser.feed(b"}")
    assert isinstance(found, Object)
    assert found.data == {"service": "light.turn_on"}


def test_backticks_that_open_nothing_are_speech() -> None:
    for text in (
        "a `b` c",
        "```python\nx\n```",
        "``",
        "ends in ```homeassist",
        "````homeassistant",
        "```jsonl\n{}",
        "```homeassistants",
        "a < b <tool_cal",
        "<<tool_cald>",
        "light.turn_on(light.kitchen)",
    ):
        events = parse(text.encode())
        assert speech(events) == text
        assert rest(events) == [Done(len(text), True)]


def test_only_what_may_become_an_opening_waits() -> None:
    parser = StreamParser()
    assert parser.feed(b"now: ``") == [Speech("now: ")]
    assert parser.feed(b"`home") == []
    assert parser.feed(b"y. <tool") == [Speech("```homey. ")]
    assert parser.feed(b"s") == [Speech("<tools")]


def test_what_is_no_object_is_reported_and_the_rest_kept() -> None:
    text = '```homeassistant\nnonsense\n1]\n{"reply": "ok"}\n'
    assert parse(text.encode()) == [
        Malformed("nonsense", "not a JSON object", 17),
        Malformed("1]", "not a JSON object", 26),
        ObjectStarted(29),
        Object("reply", '{"reply": "ok"}', 29),
        Done(45, False),
    ]


def test_a_block_cut_off_at_the_end_still_gives_its_call() -> None:
    events = parse(b'```homeassistant\n{"reply": "stay"}')
    assert _data(events) == [{"reply": "stay"}]
    assert events[-1] == Done(34, False)
    assert parse(b"```homeassistant") == [Done(16, False)]
    cut = parse(b'```json\n{"reply": "st')
    assert rest(cut)[1:] == [
        Malformed('{"reply": "st', "unfinished", 8),
        Done(21, False),
    ]
    for end in (b"`", b"``"):
        assert parse(b"```json\n" + end) == [Done(8 + len(end), False)]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('{"service": "a.b"}', "call"),
        ('{"query": "time"}', "query"),
        ('{"reply": "ok", "service": "a.b"}', "reply"),
        ('{"name": "HassTurnOn", "arguments": {"name": "x"}}', "tool"),
        ('{"name": "HassTurnOn", "parameters": {}}', "tool"),
        ('{"name": "HassTurnOn"}', "other"),
        ("{}", "other"),
    ],
)
def test_the_kind_of_an_object_is_told_by_its_keys(text: str, kind: str) -> None:
    (found,) = _in_block(text)
    assert isinstance(found, Object)
    assert (found.kind, found.text, found.validated) == (kind, text, False)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a": 1, "a": 2}', "the same key twice"),
        ('{"x": {"a": 1, "a": 1}}', "the same key twice"),
        ('{"a": NaN}', "NaN is no number"),
        ('{"a": -Infinity}', "-Infinity is no number"),
        ('{"a": "\\ud800"}', "half a character"),
        ('{"a": 1,}', "not a JSON object"),
        ("{'a': 1}", "not a JSON object"),
        ('{"a": tru}', "not a JSON object"),
        ('{"a": [1}', "not a JSON object"),
        ('{"a": {"b": {"c"', "not a JSON object"),
        ('{"a": "b', "not a JSON object"),
        ('{"a": 1 {"b": 2}', "not a JSON object"),
        ('call: {"service": "lock.unlock"}', "not a JSON object"),
        ('{"a": ' + "[" * 64 + "]" * 64 + "}", "nested deeper than 64"),
        ('{"a": ' + "9" * 5000 + "}", "a number with too many digits"),
    ],
)
def test_nothing_is_guessed(text: str, reason: str) -> None:
    expected = [Malformed(text, reason, 17)]
    (good,) = _in_block('{"b": 2}')
    assert _in_block(text) == expected
    found = _in_block(f'{text}\n{{"b": 2}}')
    assert found[:-1] == expected or reason == "not a JSON object"
    assert isinstance(good, Object)
    assert _data(found) == [good.data]  # what follows is not lost


def test_numbers_with_many_digits_are_refused_by_python() -> None:
    assert sys.get_int_max_str_digits() < 5000


def test_bytes_that_are_no_text() -> None:
    assert parse(b"a\xff\xc3b") == [Speech("a��b"), Done(4, True)]
    assert parse(b"\xf0\x9f\x99") == [Speech("�"), Done(3, True)]
    events = parse(b'```json\n{"a": "\xff"}\n{"b": 1}')
    assert Malformed('{"a": "�"}', "not UTF-8", 8) in events
    assert _data(events) == [{"b": 1}]


@pytest.mark.parametrize(
    ("line", "data"),
    [
        ("light.turn_on(light.kitchen)", {}),
        ("light.turn_on( light.kitchen , brightness=50)", {"brightness": 50}),
        ('light.turn_on(light.kitchen, x = "a b", y=true)', {"x": "a b", "y": True}),
    ],
)
def test_the_old_form_of_a_call(line: str, data: dict[str, Any]) -> None:
    (found,) = _in_block(line)
    wanted = {"service": "light.turn_on", "target_device": "light.kitchen"}
    assert isinstance(found, Object)
    assert (found.kind, found.text, found.position) == ("call", line, 17)
    assert found.data == wanted | data


@pytest.mark.parametrize(
    "line",
    [
        "light.turn_on(kitchen)",
        "turn_on(light.kitchen)",
        "light.turn_on(light.kitchen, warm)",
        "light.turn_on(light.kitchen, x=warm)",
        "light.turn_on(light.kitchen, x=5x)",
        "light.turn_on(light.kitchen, x=NaN)",
        "light.turn_on(light.kitchen, x=1, x=2)",
        "light.turn_on(light.kitchen, service=1)",
        "light.turn_on(light.kitchen) now",
        "# light.turn_on(light.kitchen)",
    ],
)
def test_what_only_resembles_the_old_form(line: str) -> None:
    assert _in_block(line) == [Malformed(line, "not a JSON object", 17)]


def test_a_brace_that_is_never_closed_costs_one_object() -> None:
    first, second = _in_block('{"a": 1,\n{"b": 2}')
    assert first == Malformed('{"a": 1,', "unfinished", 17)
    assert isinstance(second, Object)
    assert second.data == {"b": 2}


def test_a_tag_that_is_never_closed_can_be_opened_again() -> None:
    events = parse(b'<tool_call>{"a": 1}\n<tool_call>{"b": 2}</tool_call> ok')
    assert _data(events) == [{"a": 1}, {"b": 2}]
    assert speech(events) == " ok"


@pytest.mark.parametrize("filler", [b"x", b'{"a":"', b"{[", b'{"a":', b"\\", b" "])
def test_an_endless_line_is_given_up_and_takes_no_memory(filler: bytes) -> None:
    parser = StreamParser(limit=1000)
    events = parser.feed(b"```homeassistant\n{")
    chunk = filler * (100_000 // len(filler))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(300):
        events += parser.feed(chunk)
        assert len(events) <= 4
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 10_000  # KiB
    events += parser.feed(b'\n```\n```json\n{"b": 2}')
    assert _data(events) == [{"b": 2}]


def test_the_longest_object() -> None:
    text = '{"a": "' + "x" * 16 + '"}'
    for limit, fits in ((len(text), True), (len(text) - 1, False)):
        data = f"```json\n{text}\n```".encode()
        for size in (1, 3, len(data)):
            events = parse(data, [size] * len(data), StreamParser(limit=limit))
            if fits:
                assert events[1] == Object("other", text, 8)
            else:
                reason = f"longer than {limit} bytes"
                assert events[1] == Malformed(text[:limit], reason, 8)
            assert events[-1] == Done(len(data), True)


def test_a_parser_is_for_one_output() -> None:
    parser = StreamParser()
    parser.finish()
    for again in (lambda: parser.feed(b"x"), parser.finish):
        with pytest.raises(RuntimeError, match="has ended"):
            again()
    with pytest.raises(RuntimeError):
        StreamParser.__new__(StreamParser).feed(b"`")
    for limit in (0, -1, 1 << 31):
        with pytest.raises(ValueError, match="limit"):
            StreamParser(limit=limit)
    with pytest.raises(TypeError):
        StreamParser().feed("text")  # type: ignore[arg-type]


def test_events_are_values() -> None:
    events = parse(f"a{BLOCK}```json\n?".encode())
    assert {type(e) for e in events} == {Speech, ObjectStarted, Object, Malformed, Done}
    for event in events:
        assert event != 1
        assert [e == event for e in events].count(True) == 1
        for twin in (copy.copy(event), pickle.loads(pickle.dumps(event))):  # noqa: S301
            assert twin == event
            assert hash(twin) == hash(event)
        with pytest.raises(AttributeError):
            event.position = 1  # type: ignore[misc, union-attr]
    assert repr(events[0]) == "Speech(text='a')"


def test_an_unparsed_object_says_what_is_wrong_with_it() -> None:
    assert Object("call", '{"a": 1}').data == {"a": 1}
    for text, reason in (
        ("[]", "not a JSON"),
        ("{} ", "not a JSON"),
        ("[" * 9**6, "not"),
    ):
        with pytest.raises(ValueError, match=reason):
            Object("call", text).data  # noqa: B018


@settings(max_examples=100, deadline=None)
@given(replies())
@example(Reply(b"```json\n{}```", ((8, {}),)))
def test_what_is_rendered_is_parsed_back(reply: Reply) -> None:
    found: list[object] = []
    events = parse(reply.data)
    for event in events[:-1]:
        if isinstance(event, Speech):
            found.append(event.text)
        elif isinstance(event, Object):
            found.append((event.position, event.data))
            end = event.position + len(event.text.encode())
            assert reply.data[event.position : end].decode() == event.text
        else:
            assert isinstance(event, ObjectStarted)
    assert tuple(found) == reply.parts
    assert events[-1] == Done(len(reply.data), True)


_PIECES = st.sampled_from(
    [
        b"Hi ", b"`", b"``", b"```", b"homeassistant", b"json", b"\n", b"\r\n", b" ",
        b'{"a": 1}', b'{"a": {"b": [1, 2]}}', b"{", b"}", b"[", b"]", b",", b":", b'"',
        b"\\", b"<", b"<tool_call>", b"</tool_call>", b"tool_call>", b"</", b"\xff",
        "é".encode(), "🙂".encode(), "🙂".encode()[:2], b'{"a": "\\u12', b"x" * 30,
        b"a.b(c.d)", b"```homeassistant\n", b"\n```", b'{"service": "a.b"}',
    ]
)  # fmt: skip
_OUTPUTS = st.lists(_PIECES, max_size=14).map(b"".join)


@st.composite
def _mutated(draw: st.DrawFn) -> bytes:
    """A good reply with some bytes lost, doubled or changed."""
    data = bytearray(draw(replies()).data)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 3))] = draw(_PIECES | st.just(b""))
    return bytes(data)


_ANY = _OUTPUTS | _mutated() | st.binary(max_size=60)
_SIZES = st.lists(st.integers(0, 5), max_size=30)
_LIMITS = st.sampled_from([1, 5, 12, 40, 16 << 10])


@settings(max_examples=400, deadline=None)
@given(_ANY, _SIZES, _LIMITS)
def test_how_the_bytes_are_cut_makes_no_difference(
    data: bytes, sizes: list[int], limit: int
) -> None:
    whole = parse(data, (), StreamParser(limit=limit))
    assert parse(data, sizes, StreamParser(limit=limit)) == whole
    assert parse(data, [1] * len(data), StreamParser(limit=limit)) == whole
    positions = [e.position for e in rest(whole)]  # type: ignore[union-attr]
    assert positions == sorted(positions)
    assert whole[-1] == Done(len(data), whole[-1].complete)  # type: ignore[union-attr]
    for event in whole:
        if isinstance(event, Object | Malformed):
            assert len(event.text) <= limit


@settings(max_examples=100, deadline=None)
@given(_ANY, _SIZES)
def test_what_was_said_is_never_taken_back(data: bytes, sizes: list[int]) -> None:
    final = parse(data)
    said: list[StreamEvent] = []
    parser = StreamParser()
    for chunk in chunks(data, sizes):
        said += parser.feed(chunk)
        assert speech(final).startswith(speech(said))
        assert rest(final)[: len(rest(said))] == rest(said)


@settings(max_examples=100, deadline=None)
@given(_ANY)
def test_every_byte_outside_of_blocks_is_spoken(data: bytes) -> None:
    text = data.replace(b"homeassistant", b"ha").replace(b"json", b"js")
    text = text.replace(b"tool_call", b"tool")
    assert speech(parse(text)) == text.decode(errors="replace")
