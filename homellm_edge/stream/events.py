"""What a stream parser finds in a model's output, in the order in which it arrives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Speech:
    """Text that is safe to speak: it cannot turn into a block any more."""

    text: str


@dataclass(frozen=True, slots=True)
class Object:
    """One complete JSON object of a `homeassistant` block (a call, query or reply)."""

    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Malformed:
    """Something in a block that is not a JSON object; `position` counts characters."""

    text: str
    reason: str
    position: int


StreamEvent = Speech | Object | Malformed
