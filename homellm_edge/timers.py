"""Timers of a simulated home; Home Assistant keeps its own."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .lookups import matches


@dataclass(slots=True)
class _Timer:
    name: str
    length: int
    area: str
    ends: float
    left: float | None = None

    def exactly_left(self, now: float) -> float:
        return self.ends - now if self.left is None else self.left

    def seconds_left(self, now: float) -> int:
        return max(0, round(self.exactly_left(now)))


class Timers:
    """Running timers, by a monotonic clock in seconds."""

    def __init__(self) -> None:
        self._timers: list[_Timer] = []

    def records(self) -> list[Mapping[str, Any]]:
        """The running timers as `lookups` reads them."""
        now = time.monotonic()
        self._timers = [t for t in self._timers if t.exactly_left(now) > 0]
        return [
            {
                "name": t.name,
                "length_s": t.length,
                "left_s": t.seconds_left(now),
                "area": t.area,
                "paused": t.left is not None,
            }
            for t in self._timers
        ]

    def apply(self, verb: str, data: Mapping[str, Any]) -> str:
        """Do one `timer.*` call; the error as a sentence, or ""."""
        now = time.monotonic()
        seconds = int(data.get("duration_s", 0))
        if verb == "start":
            name, area = str(data.get("name", "")), str(data.get("area", ""))
            self._timers.append(_Timer(name, seconds, area, now + seconds))
            return ""
        records = self.records()
        chosen = [
            t for t, r in zip(self._timers, records, strict=True) if matches(r, data)
        ]
        if verb == "cancel_all":
            self._timers = [t for t in self._timers if t not in chosen]
            return "" if chosen else "no timer is running."
        if not chosen:
            return "there is no such timer." if records else "no timer is running."
        timer = chosen[-1]
        if verb == "cancel":
            self._timers.remove(timer)
        elif verb == "pause":
            timer.left = timer.exactly_left(now)
        elif verb == "unpause" and timer.left is not None:
            timer.ends, timer.left = now + timer.left, None
        elif verb in ("increase", "decrease"):
            change = seconds if verb == "increase" else -seconds
            if timer.left is None:
                timer.ends += change
            else:
                timer.left = max(0.0, timer.left + change)
        return ""
