"""Forecasts of weather services that know no days."""

from datetime import timedelta
from typing import Any

import pytest
from homeassistant.components.homeassistant.exposed_entities import async_expose_entity
from homeassistant.components.weather import WeatherEntity, WeatherEntityFeature
from homeassistant.const import UnitOfTemperature
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import setup_test_component_platform

from custom_components.homellm_edge import forecasts
from custom_components.homellm_edge.executor import HassExecutor
from homellm_edge.lookups import tell
from homellm_edge.queries import Query


class _Weather(WeatherEntity):
    _attr_name = "Garden"
    entity_id = "weather.garden"
    _attr_native_temperature_unit = UnitOfTemperature.CELSIUS
    _attr_condition = "sunny"
    _attr_native_temperature = 20

    def __init__(self, feature: WeatherEntityFeature, parts: list[Any]) -> None:
        self._attr_supported_features = feature
        self._parts = parts

    async def async_forecast_hourly(self):
        return self._parts

    async def async_forecast_twice_daily(self):
        return self._parts


_HOURS = [
    (0, "clear-night", 9, {}),
    (1, "clear-night", 8, {}),
    (10, "cloudy", 14, {"precipitation_probability": 20}),
    (12, "rainy", 17, {"precipitation_probability": 70}),
    (15, "cloudy", 16, {}),
]
_HALVES = [
    (9, "rainy", 17, {"is_daytime": True, "precipitation_probability": 70}),
    (21, "clear-night", 8, {"is_daytime": False}),
]


@pytest.mark.parametrize(
    ("feature", "parts"),
    [
        (WeatherEntityFeature.FORECAST_HOURLY, _HOURS),
        (WeatherEntityFeature.FORECAST_TWICE_DAILY, _HALVES),
    ],
)
async def test_a_service_without_days_is_summed_up_by_day(
    hass: HomeAssistant,
    runs: HassExecutor,
    feature: WeatherEntityFeature,
    parts: list[tuple[int, str, int, dict[str, Any]]],
) -> None:
    tomorrow = dt_util.start_of_local_day() + timedelta(days=1)
    forecast = [
        {
            "datetime": dt_util.as_utc(tomorrow + timedelta(hours=hour)).isoformat(),
            "condition": condition,
            "native_temperature": degrees,
            **more,
        }
        for hour, condition, degrees, more in parts
    ]
    setup_test_component_platform(hass, "weather", [_Weather(feature, forecast)])
    assert await async_setup_component(
        hass, "weather", {"weather": {"platform": "test"}}
    )
    await hass.async_block_till_done()
    async_expose_entity(hass, "conversation", "weather.garden", True)
    query = Query("weather", ("weather.garden",), data={"when": "tomorrow"})
    records = await runs.look_up(query)
    [day] = records["weather.garden"]
    assert (
        day.items()
        >= {
            "condition": "rainy",
            "temperature": 17.0,
            "templow": 8.0,
            "precipitation_probability": 70,
        }.items()
    )
    told = tell(query, records, runs.home(), dt_util.now())
    assert told == "Tomorrow: rainy, 8 to 17 degrees."


def test_days_are_local_and_odd_forecasts_are_borne() -> None:
    dt_util.set_default_time_zone(dt_util.get_time_zone("America/New_York"))
    parts = [
        {"datetime": "2026-11-22T03:00:00+00:00", "condition": "clear-night"},
        {"datetime": "2026-11-22T12:00:00+00:00", "condition": None},
        {"datetime": "soon", "condition": "sunny"},
        {"datetime": "2026-11-22T15:00:00+00:00", "temperature": float("nan")},
    ]
    first, second = forecasts.by_day(parts)
    assert first == {**parts[0]}
    assert second == {"datetime": parts[1]["datetime"]}
    assert forecasts.by_day([]) == []
    assert forecasts.offered_type(None) == ""
