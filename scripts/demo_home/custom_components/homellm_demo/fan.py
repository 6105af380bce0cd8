"""Demo fans with speeds and presets."""

from typing import Any, override

from homeassistant.components.fan import FanEntity, FanEntityFeature

from .base import DemoEntity, platform_setup

_START_PERCENTAGE = 50


class DemoFan(DemoEntity, FanEntity):
    """A fan that runs at a percentage or in a preset."""

    @override
    def restore(self, state: str, attributes: dict[str, Any]) -> None:
        self._attr_supported_features = FanEntityFeature(
            attributes["supported_features"]
        )
        self._attr_speed_count = round(100 / attributes.get("percentage_step", 1))
        self._attr_percentage = attributes.get("percentage", 0) if state == "on" else 0
        self._attr_preset_modes = attributes.get("preset_modes")
        self._attr_preset_mode = attributes.get("preset_mode")

    @override
    async def async_turn_on(
        self,
        percentage: int | None = None,
        preset_mode: str | None = None,
        **kwargs: Any,
    ) -> None:
        if preset_mode:
            await self.async_set_preset_mode(preset_mode)
        else:
            start = self.percentage or _START_PERCENTAGE
            await self.async_set_percentage(start if percentage is None else percentage)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        await self.async_set_percentage(0)

    @override
    async def async_set_percentage(self, percentage: int) -> None:
        self.changed(percentage=percentage, preset_mode=None)

    @override
    async def async_set_preset_mode(self, preset_mode: str) -> None:
        self.changed(
            percentage=self.percentage or _START_PERCENTAGE, preset_mode=preset_mode
        )


async_setup_platform = platform_setup(DemoFan)
