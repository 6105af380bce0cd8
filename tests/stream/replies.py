"""Feeding of parsers, and replies made of parts that are known."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from homellm_edge.stream import (
    GrammarParser,
    Speech,
    StreamEvent,
    StreamParser,
)

Parser = StreamParser | GrammarParser


def chunks(data: bytes, sizes: Iterable[int]) -> Iterator[bytes]:
    """The data in pieces of these sizes, the last with all that remains."""
    at = 0
    for size in sizes:
        yield data[at : at + size]
        at += size
    yield data[at:]


def parse(
    data: bytes, sizes: Iterable[int] = (), parser: Parser | None = None
) -> list[StreamEvent]:
    """All events, neighbouring speech joined."""
    parser = parser or StreamParser()
    events: list[StreamEvent] = []
    for chunk in chunks(data, sizes):
        events += parser.feed(chunk)
    return joined(events + parser.finish())


def joined(events: Sequence[StreamEvent]) -> list[StreamEvent]:
    found: list[StreamEvent] = []
    for event in events:
        if found and isinstance(event, Speech) and isinstance(found[-1], Speech):
            found[-1] = Speech(found[-1].text + event.text)
        else:
            found.append(event)
    return found


def speech(events: Sequence[StreamEvent]) -> str:
    return "".join(e.text for e in events if isinstance(e, Speech))


def rest(events: Sequence[StreamEvent]) -> list[StreamEvent]:
    return [e for e in events if not isinstance(e, Speech)]


@dataclass(frozen=True, slots=True)
class Reply:
    """Bytes and what is in them: texts to speak, objects as (position, data)."""

    data: bytes
    parts: tuple[str | tuple[int, dict[str, Any]], ...]


_WORDS = st.text(
    st.characters(codec="utf-8", exclude_characters="`<"), min_size=1, max_size=30
)
_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(["```", "</tool_call>", "}{", '"', "\\", "a\nb", "é🙂"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)
_OBJECTS = st.dictionaries(
    st.sampled_from(["service", "query", "reply", "name", "arguments", "x"]),
    _VALUES,
    max_size=4,
)
_BLOCKS = [
    ("```homeassistant", "```"),
    ("```json", "```"),
    ("<tool_call>", "</tool_call>"),
]


@st.composite
def replies(draw: st.DrawFn) -> Reply:
    """Speech and blocks in turn, the objects written in many ways."""
    out = bytearray()
    parts: list[str | tuple[int, dict[str, Any]]] = []
    for _ in range(draw(st.integers(0, 3))):
        if draw(st.booleans()) and not (parts and isinstance(parts[-1], str)):
            text = draw(_WORDS)
            parts.append(text)
            out += text.encode()
            continue
        opening, closing = draw(st.sampled_from(_BLOCKS))
        newline = draw(st.sampled_from(["\n", "\r\n"]))
        out += (opening + newline).encode()
        many = draw(st.lists(_OBJECTS, max_size=3))
        in_array = draw(st.booleans())
        separator = draw(st.sampled_from([newline, " ", f",{newline}", ""]))
        out += b"[" if in_array else b""
        for number, data in enumerate(many):
            out += separator.encode() if number else b""
            parts.append((len(out), data))
            indent = draw(st.sampled_from([None, 2]))
            ascii_only = draw(st.booleans())
            out += json.dumps(data, indent=indent, ensure_ascii=ascii_only).encode()
        out += b"]" if in_array else b""
        out += (newline + closing).encode()
    return Reply(bytes(out), tuple(parts))
