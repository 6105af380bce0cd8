"""Model bytes -> events, while they arrive: speech, then objects of fenced blocks.

Works on constrained and on free output alike; nothing is scanned twice. Speech is held
back only while it could still become the opening of a block.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator

from .events import Malformed, Object, Speech, StreamEvent

FENCE = "```"
LABEL = "homeassistant"
_LONGEST_LINE = 4000
"""Characters of one line of a block after which it is given up as malformed."""


class StreamParser:
    """Feed it bytes; it returns the events that they complete."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._held = ""
        self._in_block = False
        self._position = 0
        self._after_backtick = False

    def feed(self, data: bytes) -> list[StreamEvent]:
        """Events that become certain with these bytes."""
        return list(self._take(self._decoder.decode(data)))

    def finish(self) -> list[StreamEvent]:
        """Events that the end of the output makes certain; the parser is then done."""
        events = list(self._take(self._decoder.decode(b"", final=True)))
        rest, self._held = self._held, ""
        if self._in_block:
            events += self._line(rest)
        elif rest.strip():
            events.append(Speech(rest))
        return events

    def _take(self, text: str) -> Iterator[StreamEvent]:
        self._held += text
        while True:
            if self._in_block:
                line, newline, _ = self._held.partition("\n")
                if not newline and not line.lstrip().startswith(FENCE):
                    if len(line) > _LONGEST_LINE:
                        yield Malformed(line, "line too long", self._position)
                        self._advance(len(line))
                    return
                if line.lstrip().startswith(FENCE):
                    self._advance(line.index(FENCE) + len(FENCE))
                    self._in_block = False
                    continue
                yield from self._line(line)
                self._advance(len(line) + 1)
                continue
            at = self._held.find("`")
            if at < 0:
                if self._held:
                    yield Speech(self._held)
                    self._advance(len(self._held))
                return
            if at:
                yield Speech(self._held[:at])
                self._advance(at)
            # Of a longer run of backticks none opens a block.
            opening = "" if self._after_backtick else f"{FENCE}{LABEL}"
            if opening.startswith(self._held):
                return  # may still become a block
            if opening and self._held.startswith(opening):
                self._advance(len(opening))
                if self._held.startswith("\n"):
                    self._advance(1)
                self._in_block = True
                continue
            # A backtick that opens nothing is speech.
            length = max(1, len(self._held) - len(self._held.lstrip("`")))
            yield Speech(self._held[:length])
            self._advance(length)

    def _line(self, line: str) -> list[StreamEvent]:
        text = line.strip()
        if not text:
            return []
        try:
            data = json.loads(text)
        except (ValueError, RecursionError):
            return [Malformed(text, "not a JSON object", self._position)]
        if not isinstance(data, dict):
            return [Malformed(text, "not a JSON object", self._position)]
        return [Object(data)]

    def _advance(self, length: int) -> None:
        self._position += length
        self._after_backtick = not self._in_block and self._held[:length].endswith("`")
        self._held = self._held[length:]
