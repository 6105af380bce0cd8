"""Demo lights: switched, dimmed, white or coloured."""

from typing import Any, override

from homeassistant.components.light import (
    ATTR_BRIGHTNESS,
    ATTR_COLOR_TEMP_KELVIN,
    ATTR_HS_COLOR,
    ColorMode,
    LightEntity,
)

from .base import DemoEntity, platform_setup


class DemoLight(DemoEntity, LightEntity):
    """A light that remembers brightness and colour while it is off."""

    @override
    def restore(self, state: str, attributes: dict[str, Any]) -> None:
        modes = {ColorMode(mode) for mode in attributes["supported_color_modes"]}
        self._attr_supported_color_modes = modes
        self._attr_color_mode = ColorMode(attributes.get("color_mode") or min(modes))
        self._attr_is_on = state == "on"
        self._attr_brightness = attributes.get("brightness", 255)
        if ColorMode.COLOR_TEMP in modes:
            low = attributes["min_color_temp_kelvin"]
            self._attr_min_color_temp_kelvin = low
            self._attr_max_color_temp_kelvin = attributes["max_color_temp_kelvin"]
            self._attr_color_temp_kelvin = attributes.get("color_temp_kelvin", low)
        if ColorMode.HS in modes:
            self._attr_hs_color = tuple(attributes.get("hs_color", (0, 0)))

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        changes: dict[str, Any] = {"is_on": True}
        if ATTR_BRIGHTNESS in kwargs:
            changes["brightness"] = kwargs[ATTR_BRIGHTNESS]
        if ATTR_COLOR_TEMP_KELVIN in kwargs:
            changes["color_mode"] = ColorMode.COLOR_TEMP
            changes["color_temp_kelvin"] = kwargs[ATTR_COLOR_TEMP_KELVIN]
        if ATTR_HS_COLOR in kwargs:
            changes["color_mode"] = ColorMode.HS
            changes["hs_color"] = kwargs[ATTR_HS_COLOR]
        self.changed(**changes)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        self.changed(is_on=False)


async_setup_platform = platform_setup(DemoLight)
