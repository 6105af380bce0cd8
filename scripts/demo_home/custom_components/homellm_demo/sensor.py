"""Demo sensors with a number."""

from typing import Any, override

from homeassistant.components.sensor import SensorEntity, SensorStateClass

from .base import DemoEntity, platform_setup


class DemoSensor(DemoEntity, SensorEntity):
    """A sensor that keeps its value."""

    @override
    def restore(self, state: str, attributes: dict[str, Any]) -> None:
        self._attr_native_value = float(state) if "." in state else int(state)
        self._attr_native_unit_of_measurement = attributes["unit_of_measurement"]
        self._attr_state_class = SensorStateClass(attributes["state_class"])


async_setup_platform = platform_setup(DemoSensor)
