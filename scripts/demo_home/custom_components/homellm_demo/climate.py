"""Demo climate devices: a thermostat and an air conditioner."""

from typing import Any, override

from homeassistant.components.climate import (
    ATTR_HVAC_MODE,
    ClimateEntity,
    ClimateEntityFeature,
    HVACMode,
)
from homeassistant.const import ATTR_TEMPERATURE, UnitOfTemperature

from .base import DemoEntity, platform_setup


class DemoClimate(DemoEntity, ClimateEntity):
    """A climate device with one target temperature, in degrees Celsius."""

    @override
    def restore(self, state: str, attributes: dict[str, Any]) -> None:
        self._attr_native_temperature_unit = UnitOfTemperature.CELSIUS
        self._attr_supported_features = ClimateEntityFeature(
            attributes["supported_features"]
        )
        self._attr_hvac_modes = [HVACMode(mode) for mode in attributes["hvac_modes"]]
        self._attr_hvac_mode = HVACMode(state)
        self._attr_min_temp = attributes["min_temp"]
        self._attr_max_temp = attributes["max_temp"]
        self._attr_target_temperature_step = attributes["target_temp_step"]
        self._attr_native_current_temperature = attributes["current_temperature"]
        self._attr_native_target_temperature = attributes["temperature"]
        self._attr_preset_modes = attributes.get("preset_modes")
        self._attr_preset_mode = attributes.get("preset_mode")
        self._attr_fan_modes = attributes.get("fan_modes")
        self._attr_fan_mode = attributes.get("fan_mode")

    @override
    async def async_turn_on(self) -> None:
        first = next(mode for mode in self.hvac_modes if mode is not HVACMode.OFF)
        await self.async_set_hvac_mode(first)

    @override
    async def async_turn_off(self) -> None:
        await self.async_set_hvac_mode(HVACMode.OFF)

    @override
    async def async_set_hvac_mode(self, hvac_mode: HVACMode) -> None:
        self.changed(hvac_mode=hvac_mode)

    @override
    async def async_set_temperature(self, **kwargs: Any) -> None:
        if mode := kwargs.get(ATTR_HVAC_MODE):
            await self.async_set_hvac_mode(mode)
        if ATTR_TEMPERATURE in kwargs:
            self.changed(native_target_temperature=kwargs[ATTR_TEMPERATURE])

    @override
    async def async_set_preset_mode(self, preset_mode: str) -> None:
        self.changed(preset_mode=preset_mode)

    @override
    async def async_set_fan_mode(self, fan_mode: str) -> None:
        self.changed(fan_mode=fan_mode)


async_setup_platform = platform_setup(DemoClimate)
