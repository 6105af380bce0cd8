"""Fetches what Home Assistant keeps outside states: lists, calendars, forecasts."""

import asyncio
import logging
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from homellm_edge.lookups import Records, days_of
from homellm_edge.queries import Query

from . import forecasts, ha_api, ha_calls, lists, timers
from .home_source import plain_attributes
from .request import Request, current_request
from .waiting import failure, settled

_LOGGER = logging.getLogger(__name__)

type _Found = Sequence[Mapping[str, Any]]


async def look_up(hass: HomeAssistant, query: Query) -> Records:
    """The query's records. What fails, is late or is not exposed is left out."""
    request = current_request()
    if query.kind in ("sunrise", "sunset"):
        # Not a device of the home: it may be told without being exposed.
        sun = hass.states.get("sun.sun")
        return {"sun": [plain_attributes(sun.attributes)] if sun else []}
    if query.kind == "timer":
        place = str(query.data.get("area", ""))
        reading = {"timer": timers.running(hass, request, place)}
    else:
        reading = {
            target: _read(hass, target, query, request)
            for target in query.targets
            if target.partition(".")[0] in ("todo", "calendar", "weather")
            and ha_api.is_exposed(hass, target)
        }
    found = await asyncio.gather(
        *(_fetched(hass, key, query.kind, doing) for key, doing in reading.items())
    )
    return {
        key: records
        for key, records in zip(reading, found, strict=True)
        if records is not None
    }


async def _fetched(
    hass: HomeAssistant, key: str, kind: str, reading: Coroutine[Any, Any, _Found]
) -> _Found | None:
    task = await settled(hass, reading, f"{kind} of {key}")
    error = failure(task, ha_api.entity_name(hass, key))
    if error:
        _LOGGER.warning("Looking up %s of %s failed: %s", kind, key, error)
    ha_api.trace_tool_call(f"look_up.{kind}", {"entity_id": key}, error)
    return task.result() if task and not error else None


async def _read(
    hass: HomeAssistant, entity_id: str, query: Query, request: Request
) -> _Found:
    match entity_id.partition(".")[0]:
        case "todo":
            return await lists.open_items(hass, entity_id, request)
        case "calendar":
            return await _events(hass, entity_id, query, request)
        case _:
            return await _forecast(hass, entity_id, request)


async def _events(
    hass: HomeAssistant, entity_id: str, query: Query, request: Request
) -> _Found:
    start, end = days_of(query, dt_util.now())
    span = {"start_date_time": start, "end_date_time": end}
    answer = await ha_calls.ask_service(
        hass, "calendar.get_events", entity_id, span, request
    )
    return list(answer.get("events") or ()) if answer else []


async def _forecast(hass: HomeAssistant, entity_id: str, request: Request) -> _Found:
    state = hass.states.get(entity_id)
    features = state.attributes.get("supported_features") if state else None
    kind = forecasts.offered_type(features)
    if not kind:
        return []
    answer = await ha_calls.ask_service(
        hass, "weather.get_forecasts", entity_id, {"type": kind}, request
    )
    records = list(answer.get("forecast") or ()) if answer else []
    return records if kind == "daily" else forecasts.by_day(records)
