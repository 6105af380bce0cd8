"""Lines seen before, as they were in the KV cache: put back without evaluation."""

from __future__ import annotations

from collections.abc import Iterator

MEMO_BYTES = 64 << 20
"""What the memo may take, by default."""


class LineMemo:
    """States of lines by name; the ones used longest ago go first."""

    def __init__(self, most_bytes: int = MEMO_BYTES) -> None:
        self._most = most_bytes
        self._states: dict[bytes, bytes] = {}
        self._bytes = 0

    @property
    def memory(self) -> int:
        """Bytes of the states that are kept."""
        return self._bytes

    @property
    def limit(self) -> int:
        """Bytes that may be kept."""
        return self._most

    def __contains__(self, name: bytes) -> bool:
        return name in self._states

    def newest_first(self) -> Iterator[tuple[bytes, bytes]]:
        """Names and states; looking is not using."""
        return reversed(self._states.items())

    def get(self, name: bytes) -> bytes | None:
        """A state, which is now the one used last."""
        state = self._states.pop(name, None)
        if state is not None:
            self._states[name] = state
        return state

    def put(self, name: bytes, state: bytes) -> None:
        """Keep a state; one that is larger than all the room is not kept."""
        if len(state) > self._most:
            return
        self._bytes += len(state) - len(self._states.pop(name, b""))
        self._states[name] = state
        while self._bytes > self._most:
            oldest = next(iter(self._states))
            self._bytes -= len(self._states.pop(oldest))

    def clear(self) -> None:
        """Forget all."""
        self._states.clear()
        self._bytes = 0
