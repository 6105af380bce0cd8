"""How late the event loop is: what everything else in Home Assistant has to wait."""

import gc
import time
from array import array

from homeassistant.core import HomeAssistant, callback

INTERVAL = 0.01
"""Seconds between two samples."""


class LagSampler:
    """Looks at the clock every 10 ms.

    A busy loop lets several of these moments pass; each of them counts with what it was
    late, so that a percentile is a share of the time. Python's garbage collection stops
    everything as well, whoever made the garbage; its longest stop is told beside it.
    """

    def __init__(self, hass: HomeAssistant) -> None:
        self._loop = hass.loop
        self._late = array("d")
        self._due = self._loop.time()
        self._collecting = self._collected = 0.0
        self._loop.call_at(self._due, self._sample)
        gc.callbacks.append(self._on_collection)

    @callback
    def take(self) -> dict[str, float]:
        """Milliseconds since the last time this was asked."""
        late, self._late = sorted(self._late), array("d")
        collected, self._collected = self._collected, 0.0
        if not late:
            return {"samples": 0}
        found = {
            "p50": late[len(late) // 2],
            "p99": late[len(late) * 99 // 100],
            "max": late[-1],
            "gc": collected,
        }
        milliseconds = {name: round(value * 1000, 2) for name, value in found.items()}
        return {"samples": len(late), **milliseconds}

    def _on_collection(self, phase: str, _: object) -> None:
        """Python begins or ends a collection, in any thread."""
        now = time.perf_counter()
        if phase == "start":
            self._collecting = now
        else:
            self._collected = max(self._collected, now - self._collecting)

    @callback
    def _sample(self) -> None:
        now = self._loop.time()
        while self._due <= now:
            self._late.append(now - self._due)
            self._due += INTERVAL
        self._loop.call_at(self._due, self._sample)
