"""Any model's output: blocks and speech, however the bytes are cut."""

from __future__ import annotations

import json
import random
import string
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

BLOCK = '```homeassistant\n{"service": "light.turn_on"}\n```'
LIMIT = 16 << 10


def parse(
    data: bytes, sizes: list[int] | None = None, limit: int = LIMIT
) -> list[StreamEvent]:
    parser = StreamParser(limit=limit)
    events: list[StreamEvent] = []
    at = 0
    for size in sizes or []:
        events += parser.feed(data[at : at + size])
        at += size
    events += parser.feed(data[at:])
    return events + parser.finish()


def speech(events: list[StreamEvent]) -> str:
    return "".join(e.text for e in events if isinstance(e, Speech))


def rest(events: list[StreamEvent]) -> list[StreamEvent]:
    return [e for e in events if not isinstance(e, Speech)]


def objects(text: str) -> list[Any]:
    return [e.data for e in parse(text.encode()) if isinstance(e, Object)]


def faults(text: str) -> list[str]:
    return [e.reason for e in parse(text.encode()) if isinstance(e, Malformed)]


def block(*lines: str) -> str:
    return "```homeassistant\n" + "\n".join(lines) + "\n```"


def test_speech_then_a_call() -> None:
    events = parse(f"Sure.\n{BLOCK}".encode())
    assert events == [
        Speech("Sure.\n"),
        ObjectStarted(23),
        Object("call", '{"service": "light.turn_on"}', 23),
        Done(55, True),
    ]
    assert events[2].data == {"service": "light.turn_on"}
    assert not events[2].validated


def test_a_call_is_known_with_its_last_brace() -> None:
    parser = StreamParser()
    end = BLOCK.index("}")
    parser.feed(BLOCK[:end].encode())
    (event,) = parser.feed(b"}")
    assert isinstance(event, Object)


@pytest.mark.parametrize(
    "text",
    [
        "a `b` c",
        "```python\nx\n```",
        "``",
        "ends in ```homeassist",
        '````homeassistant\n{"a": 1}\n````',
        '```homeassistants\n{"a": 1}',
        '```jsonc\n{"a": 1}',
        "1 < 2 <tool <tool_cal",
        "<tool_calls>{}",
        "light.turn_on(light.kitchen)",
        '{"service": "light.turn_on"}',
        " \n",
    ],
)
def test_what_opens_no_block_is_speech(text: str) -> None:
    for sizes in ([], [1] * len(text)):
        events = parse(text.encode(), sizes)
        assert speech(events) == text
        assert rest(events) == [Done(len(text), True)]


def test_forms_that_models_write() -> None:
    call = {"service": "light.turn_on", "target_device": "light.a"}
    text = json.dumps(call)
    pretty = json.dumps({**call, "rgb_color": [1, 2, 3]}, indent=2)
    assert objects(block(text, text)) == [call, call]
    assert objects(block(text + text)) == [call, call]
    assert objects(block(pretty)) == [{**call, "rgb_color": [1, 2, 3]}]
    assert objects(block(f"[{text},\n {text}]")) == [call, call]
    assert objects(f"```json\n{text}\n```") == [call]
    assert objects(block(text).replace("\n", "\r\n")) == [call]
    assert objects(block(text)[:-4]) == [call]
    tricky = {"item": 'a ```" } { </tool_call> \\'}
    assert objects(block(json.dumps(tricky))) == [tricky]
    tool = {"name": "HassTurnOn", "arguments": {"name": "lamp"}}
    tagged = f"<tool_call>\n{json.dumps(tool)}\n</tool_call>"
    assert objects(f"ok {tagged}\n{tagged} done") == [tool, tool]
    assert speech(parse(f"ok {tagged} done".encode())) == "ok  done"
    kinds = [
        e.kind
        for e in parse(
            block(text, '{"query": "time"}', '{"reply": "ok"}', "{}").encode()
            + tagged.encode()
        )
        if isinstance(e, Object)
    ]
    assert kinds == ["call", "query", "reply", "other", "tool"]


def test_the_old_form_of_a_call() -> None:
    assert objects(block("light.turn_on(light.office)")) == [
        {"service": "light.turn_on", "target_device": "light.office"}
    ]
    line = 'light.turn_on(light.office, brightness=50, effect="a, b")'
    assert objects(block(line, "lock.lock(lock.door)"))[0] == {
        "service": "light.turn_on",
        "target_device": "light.office",
        "brightness": 50,
        "effect": "a, b",
    }
    for line in (
        "light.turn_on()",
        "turn_on(light.office)",
        "light.turn_on(office)",
        "light.turn_on(light.office, brightness=)",
        "light.turn_on(light.office, brightness=a b)",
        "light.turn_on(light.office, brightness=NaN)",
        "light.turn_on(light.office, a=1, a=2)",
        "light.turn_on(light.office) and more",
    ):
        assert faults(block(line)) == ["not a JSON object"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("nonsense", "not a JSON object"),
        ('{"a": 1', "unfinished"),
        ("{'a': 1}", "not a JSON object"),
        ('{"a": 1,}', "not a JSON object"),
        ('{"a": 01}', "not a JSON object"),
        ('{"a": NaN}', "NaN is no number"),
        ('{"a": -Infinity}', "-Infinity is no number"),
        ('{"a": 1, "a": 2}', "the same key twice"),
        ('{"a": ' + "9" * 5000 + "}", "a number with too many digits"),
        ('{"a": ' + "[" * 80 + "]" * 80 + "}", "nested deeper than 64"),
        ('{"a": "\\ud800"}', "half a character"),
        ('{"a": "open', "not a JSON object"),
        ('{"a": [1}]', "not a JSON object"),
        ('{"a": "' + "x" * LIMIT + '"}', f"longer than {LIMIT} bytes"),
        ("y" * (LIMIT + 10), f"longer than {LIMIT} bytes"),
    ],
)
def test_what_is_wrong_is_reported_and_the_next_object_is_found(
    line: str, reason: str
) -> None:
    good = '{"reply": "ok"}'
    text = f"Hm. {block(good, line, good)} Done."
    for sizes in ([], [7] * len(text)):
        events = parse(text.encode(), sizes)
        assert [type(e) for e in events if isinstance(e, Object | Malformed)] == [
            Object, Malformed, Object,
        ]  # fmt: skip
        (fault,) = (e for e in events if isinstance(e, Malformed))
        assert fault.reason == reason
        assert fault.position == text.index(line)
        assert line.startswith(fault.text[: LIMIT - 4])
        assert speech(events) == "Hm.  Done."


def test_an_object_without_its_end_does_not_take_the_next_one() -> None:
    events = parse(block('{"a": {"b": 1}', '{"reply": "ok"}').encode())
    found = [e for e in events if isinstance(e, Object | Malformed)]
    assert [type(e) for e in found] == [Malformed, Object]


def test_bytes_that_are_no_text() -> None:
    assert speech(parse(b"a\xffb\xc3")) == "a\ufffdb\ufffd"
    assert faults('```json\n{"a": "') == ["unfinished"]
    events = parse(b'```json\n{"a": "\xff"}\n```')
    assert [e.reason for e in events if isinstance(e, Malformed)] == ["not UTF-8"]


def test_the_end_says_whether_something_was_cut_off() -> None:
    assert parse(b"Hi")[-1] == Done(2, True)
    assert parse(b"```homeassistant")[-1] == Done(16, False)
    assert parse(BLOCK[:-3].encode())[-1].complete is False
    assert parse(BLOCK.encode())[-1].complete is True


def test_a_parser_is_for_one_output() -> None:
    parser = StreamParser()
    parser.finish()
    for call in (lambda: parser.feed(b"a"), parser.finish):
        with pytest.raises(RuntimeError, match="has ended"):
            call()
    with pytest.raises(ValueError, match="limit of 0"):
        StreamParser(limit=0)


WORDS = st.text(
    st.characters(codec="utf-8", exclude_characters="`<"), max_size=20
) | st.sampled_from(["``", " ` ", "<b>", "é🙂"])
CHARACTERS = st.characters(codec="utf-8")
KEYS = st.text(CHARACTERS, max_size=5)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(CHARACTERS, max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3)
    ),
    max_leaves=6,
)
OBJECTS = st.dictionaries(KEYS, VALUES, max_size=4)


@settings(deadline=None, max_examples=150)
@given(
    st.lists(WORDS | st.lists(OBJECTS, max_size=3), max_size=6),
    st.randoms(use_true_random=False),
)
def test_what_was_put_together_is_taken_apart(
    parts: list[str | list[dict[str, Any]]], rng: random.Random
) -> None:
    text, said, wanted = "", "", []
    for part in parts:
        if isinstance(part, str):
            text += part + "."
            said += part + "."
            continue
        dumped = [
            json.dumps(o, ensure_ascii=rng.random() < 0.5, indent=rng.choice([None, 2]))
            for o in part
        ]
        text += rng.choice(["```homeassistant\n", "```json\n"])
        text += "\n".join(dumped) + "\n```"
        wanted += part
        text += "."
        said += "."
    events = parse(text.encode(), [rng.randint(1, 9) for _ in range(len(text))])
    assert speech(events) == said
    assert [e.data for e in events if isinstance(e, Object)] == wanted
    assert not any(isinstance(e, Malformed) for e in events)
    started = [e.position for e in events if isinstance(e, ObjectStarted)]
    assert started == [e.position for e in events if isinstance(e, Object)]
    data = text.encode()
    for event in events:
        if isinstance(event, Object):
            assert data[event.position :].startswith(event.text.encode())


PIECES = [
    "Hi ", "`", "``", "```", "homeassistant", "json", "\n", '{"a": 1}', "{", "}", "[",
    "]", ",", '"', "\\", "é", "🙂 ", "<tool_call>", "</tool_call>", "<", "\r\n", ": ",
    "light.turn_on(light.a)", '{"reply": "ok"}', "```homeassistant\n", "x" * 30,
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES), max_size=14).map("".join).map(str.encode)
CUTS = st.lists(st.integers(0, 6), max_size=40)


@settings(deadline=None, max_examples=500)
@given(TEXTS | st.binary(max_size=80), CUTS, st.sampled_from([9, 40, LIMIT]))
@example(b"```homeassistant\n" + b"x" * 50, [20, 25], 9)
def test_how_the_bytes_are_cut_makes_no_difference(
    data: bytes, sizes: list[int], limit: int
) -> None:
    whole, cut = parse(data, [], limit), parse(data, sizes, limit)
    assert speech(whole) == speech(cut)
    assert rest(whole) == rest(cut)
    assert whole[-1].position == len(data)
    for event in whole:
        if isinstance(event, Object):
            assert len(event.text.encode()) <= limit


@settings(deadline=None, max_examples=200)
@given(TEXTS)
def test_what_was_spoken_is_never_taken_back(data: bytes) -> None:
    final = speech(parse(data))
    parser, spoken = StreamParser(), ""
    for at in range(len(data)):
        spoken += speech(parser.feed(data[at : at + 1]))
        assert final.startswith(spoken)


def test_any_amount_of_anything_ends() -> None:
    parser = StreamParser(limit=200)
    rng = random.Random(5)
    letters = string.ascii_letters + '`{}[]"\\\n<'
    events: list[StreamEvent] = parser.feed(b"```homeassistant\n")
    for _ in range(300):
        events += parser.feed("".join(rng.choices(letters, k=1000)).encode())
    assert parser.finish()[-1].position == 17 + 300_000
    assert all(len(e.text.encode()) <= 600 for e in events if isinstance(e, Malformed))
