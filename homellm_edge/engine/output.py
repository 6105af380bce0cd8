"""From tokens to the reader: whole characters only, and nothing of a stop string."""

from __future__ import annotations


class OutputFilter:
    """Turns a model's pieces of bytes into bytes that are safe to pass on.

    Holds back an unfinished UTF-8 character and what may be the start of a stop
    string. Bytes that are no UTF-8 at all pass.
    """

    def __init__(self, stop: tuple[str, ...] = ()) -> None:
        self._stops = [text.encode() for text in stop if text]
        self._held = b""
        self.stopped = False

    def feed(self, piece: bytes) -> bytes:
        """Add a piece; returns what can go out now. Sets `stopped` at a stop string."""
        if self.stopped:
            return b""
        data = self._held + piece
        found = [at for stop in self._stops if (at := data.find(stop)) >= 0]
        if found:
            self.stopped = True
            self._held = b""
            return data[: min(found)]
        keep = max(_unfinished_character(data), self._unfinished_stop(data))
        self._held = data[len(data) - keep :]
        return data[: len(data) - keep]

    def finish(self) -> bytes:
        """Return what was held back, without an unfinished character."""
        data, self._held = self._held, b""
        return data[: len(data) - _unfinished_character(data)]

    def _unfinished_stop(self, data: bytes) -> int:
        longest = max((len(stop) for stop in self._stops), default=1) - 1
        for length in range(min(longest, len(data)), 0, -1):
            if any(stop.startswith(data[-length:]) for stop in self._stops):
                return length
        return 0


def _unfinished_character(data: bytes) -> int:
    """How many bytes at the end are the start of a UTF-8 character, 0 to 3."""
    for back in range(1, min(3, len(data)) + 1):
        byte = data[-back]
        if byte & 0xC0 == 0x80:
            continue
        if 0xC2 <= byte <= 0xDF:
            needed = 2
        elif 0xE0 <= byte <= 0xEF:
            needed = 3
        elif 0xF0 <= byte <= 0xF4:
            needed = 4
        else:
            needed = 1
        return back if back < needed else 0
    return 0
