"""Demo switches."""

from typing import Any, override

from homeassistant.components.switch import SwitchEntity

from .base import DemoEntity, platform_setup


class DemoSwitch(DemoEntity, SwitchEntity):
    """On or off."""

    @override
    def restore(self, state: str, attributes: dict[str, Any]) -> None:
        self._attr_is_on = state == "on"

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        self.changed(is_on=True)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        self.changed(is_on=False)


async_setup_platform = platform_setup(DemoSwitch)
