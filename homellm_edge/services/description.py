"""The words in which a service is described: arguments, their values, calls."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["integer", "number", "choice", "rgb", "boolean", "text", "time"]

MAX_TARGETS = 8
"""Devices that one call may list by name."""

MAX_LISTED = 130
"""Up to so many values off the whole numbers are listed one by one."""

_NARROW = 10
"""A range narrower than this is listed in coarser steps rather than cut to its ends."""

_MAX_DECIMALS = 3


@dataclass(frozen=True, slots=True)
class Span:
    """All numbers of at most so many decimals from `low` to `high`, both included."""

    low: int
    high: int
    decimals: int = 0


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a service; bounds are inclusive, `choices` only for `choice`.

    Of a `text` the bounds are those of its length in characters. A `time` is HH:MM:SS
    below 24 hours, of the day or of a duration.
    """

    name: str
    kind: Kind
    minimum: float = 0
    maximum: float = 0
    step: float = 1
    choices: tuple[str, ...] = ()
    required: bool = False
    unit: str = ""
    spoken_as: str = ""
    """Another name under which models write it (`brightness` for `brightness_pct`)."""
    variant: str = ""
    """Arguments of different variants exclude each other; "" goes with all of them."""
    at_most: str = ""
    """The argument that this one must not exceed: the two are swapped if it does."""

    @property
    def numbers(self) -> tuple[float, ...] | Span:
        """The numbers that may be written; () if there are none.

        Up to 130 values are listed in their own steps. A longer range allows every
        number with as many decimals as the step has.
        """
        low, high = math.ceil(self.minimum), math.floor(self.maximum)
        if self.kind == "integer" or (self.step == 1 and low == self.minimum):
            return Span(low, high) if low <= high else ()
        step = self.step
        while True:
            count = int((self.maximum - self.minimum) / step + 1e-6) + 1
            if count <= 0:
                return ()
            if count <= MAX_LISTED:
                return self._listed(count, step)
            if float(step).is_integer():
                return Span(low, high)
            if high - low >= _NARROW:
                return Span(low, high, _decimals(step))
            step *= 10

    def _listed(self, count: int, step: float) -> tuple[float, ...]:
        values = (round(self.minimum + k * step, 4) for k in range(count))
        inside = {v for v in values if self.minimum <= v <= self.maximum}
        return tuple(int(v) if float(v).is_integer() else v for v in sorted(inside))


def _decimals(step: float) -> int:
    for count in range(1, _MAX_DECIMALS):
        scaled = step * 10**count
        if abs(scaled - round(scaled)) < 1e-6:
            return count
    return _MAX_DECIMALS


@dataclass(frozen=True, slots=True)
class Service:
    """A service as one entity offers it; `name` is `domain.service`."""

    name: str
    arguments: tuple[Argument, ...] = ()
    explicit: bool = False
    """Opens the house or starts the unknown: only done when asked for by name."""

    def argument(self, name: str) -> Argument | None:
        """The argument of that name (or spoken name), or None."""
        return next((a for a in self.arguments if name in (a.name, a.spoken_as)), None)

    @property
    def forms(self) -> tuple[tuple[Argument, ...], ...]:
        """The arguments that go together, one tuple for each variant."""
        variants = dict.fromkeys(a.variant for a in self.arguments if a.variant)
        return tuple(
            tuple(a for a in self.arguments if a.variant in ("", variant))
            for variant in variants or ("",)
        )


@dataclass(frozen=True, slots=True)
class ServiceCall:
    """A checked call: every target is exposed, every argument within its range.

    Only what the assistant does itself (`timer.start` without a timer entity) has no
    target.
    """

    service: str
    targets: tuple[str, ...]
    data: Mapping[str, Any]

    @property
    def domain(self) -> str:
        """The service's domain."""
        return self.service.partition(".")[0]

    def to_dict(self) -> dict[str, Any]:
        """The form of the command line's JSON and of the model's output."""
        called: dict[str, Any] = {"service": self.service}
        if self.targets:
            one = len(self.targets) == 1
            called["target_device"] = self.targets[0] if one else list(self.targets)
        return {**called, **self.data}
