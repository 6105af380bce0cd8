"""Demo binary sensors: contacts of a door and a window."""

from typing import Any, override

from homeassistant.components.binary_sensor import BinarySensorEntity

from .base import DemoEntity, platform_setup


class DemoBinarySensor(DemoEntity, BinarySensorEntity):
    """A sensor that stays on or off."""

    @override
    def restore(self, state: str, attributes: dict[str, Any]) -> None:
        self._attr_is_on = state == "on"


async_setup_platform = platform_setup(DemoBinarySensor)
