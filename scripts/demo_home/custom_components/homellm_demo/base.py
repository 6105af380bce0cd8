"""What the demo devices of all domains have in common."""

from abc import abstractmethod
from collections.abc import Callable, Coroutine
from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import AddEntitiesCallback
from homeassistant.helpers.typing import ConfigType, DiscoveryInfoType

DOMAIN: Final = "homellm_demo"
PLATFORMS: Final = (
    "binary_sensor",
    "climate",
    "cover",
    "fan",
    "light",
    "lock",
    "media_player",
    "sensor",
    "switch",
)

type Setup = Callable[
    [HomeAssistant, ConfigType, AddEntitiesCallback, DiscoveryInfoType | None],
    Coroutine[Any, Any, None],
]


class DemoEntity(Entity):
    """A device made from an item of the home file."""

    _attr_should_poll = False

    def __init__(self, item: dict[str, Any]) -> None:
        self.entity_id = item["entity_id"]
        self._attr_unique_id = item["entity_id"]
        self._attr_name = item["name"]
        attributes = item.get("attributes") or {}
        if device_class := attributes.get("device_class"):
            self._attr_device_class = device_class
        self.restore(str(item["state"]), attributes)

    @abstractmethod
    def restore(self, state: str, attributes: dict[str, Any]) -> None:
        """Take over the state and attributes that the home file gives."""

    def changed(self, **values: Any) -> None:
        """Set these `_attr_` values and tell Home Assistant."""
        for name, value in values.items():
            setattr(self, f"_attr_{name}", value)
        self.async_write_ha_state()


def platform_setup(make: Callable[[dict[str, Any]], DemoEntity]) -> Setup:
    """The `async_setup_platform` of a platform whose devices `make` makes."""

    async def async_setup_platform(
        hass: HomeAssistant,
        config: ConfigType,
        async_add_entities: AddEntitiesCallback,
        discovery_info: DiscoveryInfoType | None = None,
    ) -> None:
        if discovery_info is not None:
            async_add_entities([make(item) for item in discovery_info["items"]])

    return async_setup_platform
