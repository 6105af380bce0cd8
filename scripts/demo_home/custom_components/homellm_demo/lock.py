"""Demo locks."""

from typing import Any, override

from homeassistant.components.lock import LockEntity

from .base import DemoEntity, platform_setup


class DemoLock(DemoEntity, LockEntity):
    """Locked or unlocked."""

    @override
    def restore(self, state: str, attributes: dict[str, Any]) -> None:
        self._attr_is_locked = state == "locked"

    @override
    async def async_lock(self, **kwargs: Any) -> None:
        self.changed(is_locked=True)

    @override
    async def async_unlock(self, **kwargs: Any) -> None:
        self.changed(is_locked=False)


async_setup_platform = platform_setup(DemoLock)
