"""Demo covers: blinds and curtains with a position, a garage door without."""

from typing import Any, override

from homeassistant.components.cover import (
    ATTR_POSITION,
    CoverEntity,
    CoverEntityFeature,
)

from .base import DemoEntity, platform_setup


class DemoCover(DemoEntity, CoverEntity):
    """A cover that is where it was sent at once."""

    @override
    def restore(self, state: str, attributes: dict[str, Any]) -> None:
        self._attr_supported_features = CoverEntityFeature(
            attributes["supported_features"]
        )
        self._attr_is_closed = state == "closed"
        self._attr_current_cover_position = attributes.get("current_position")

    @override
    async def async_open_cover(self, **kwargs: Any) -> None:
        self._move(100)

    @override
    async def async_close_cover(self, **kwargs: Any) -> None:
        self._move(0)

    @override
    async def async_set_cover_position(self, **kwargs: Any) -> None:
        self._move(kwargs[ATTR_POSITION])

    @override
    async def async_stop_cover(self, **kwargs: Any) -> None:
        self.changed()

    def _move(self, position: int) -> None:
        if self.current_cover_position is None:  # it does not know where it is
            self.changed(is_closed=position == 0)
        else:
            self.changed(is_closed=position == 0, current_cover_position=position)


async_setup_platform = platform_setup(DemoCover)
