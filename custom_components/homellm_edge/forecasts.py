"""Forecasts by the day, also of weather services that only know hours."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from homeassistant.util import dt as dt_util

_TYPES = {"daily": 1, "twice_daily": 4, "hourly": 2}
"""What may be asked for -> its bit of `supported_features`, the best first."""

_WET = frozenset("hail lightning-rainy pouring rainy snowy snowy-rainy".split())


def offered_type(features: Any) -> str:
    """The most fitting type of forecast that an entity offers; "" if it has none."""
    bits = features if isinstance(features, int) else 0
    return next((name for name, bit in _TYPES.items() if bits & bit), "")


def by_day(parts: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """One record for each local day from its hours, or from day and night."""
    days: dict[date, list[Mapping[str, Any]]] = {}
    for part in parts:
        if moment := dt_util.parse_datetime(str(part.get("datetime", ""))):
            days.setdefault(dt_util.as_local(moment).date(), []).append(part)
    return [_day(parts) for parts in days.values()]


def _day(parts: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The extremes of the day, its rain if there is any, else what it mostly is."""
    lit = [
        part
        for part in parts
        if part.get("is_daytime") is not False
        and part.get("condition") != "clear-night"
    ]
    highs = _numbers(parts, "temperature")
    lows = [*_numbers(parts, "templow"), *highs]
    conditions = Counter(
        str(p["condition"]) for p in lit or parts if p.get("condition")
    )
    wet = Counter(str(p["condition"]) for p in parts if p.get("condition") in _WET)
    day: dict[str, Any] = {"datetime": parts[0]["datetime"]}
    if most := (wet or conditions).most_common(1):
        day["condition"] = most[0][0]
    if highs:
        day["temperature"] = max(highs)
        if min(lows) < max(highs):
            day["templow"] = min(lows)
    if chances := _numbers(parts, "precipitation_probability"):
        day["precipitation_probability"] = max(chances)
    return day


def _numbers(parts: Sequence[Mapping[str, Any]], key: str) -> list[float]:
    values = (part.get(key) for part in parts)
    return [v for v in values if isinstance(v, int | float) and math.isfinite(v)]
