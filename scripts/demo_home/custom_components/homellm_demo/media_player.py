"""Demo media players: speakers and a television."""

from typing import Any, override

from homeassistant.components.media_player import (
    MediaPlayerEntity,
    MediaPlayerEntityFeature,
    MediaPlayerState,
)

from .base import DemoEntity, platform_setup

_RESTORED = (
    "volume_level",
    "is_volume_muted",
    "media_content_type",
    "media_title",
    "media_track",
    "source",
    "source_list",
)


class DemoMediaPlayer(DemoEntity, MediaPlayerEntity):
    """A player that plays nothing, but remembers everything."""

    _attr_volume_step = 0.1

    @override
    def restore(self, state: str, attributes: dict[str, Any]) -> None:
        self._attr_supported_features = MediaPlayerEntityFeature(
            attributes["supported_features"]
        )
        self._attr_state = MediaPlayerState(state)
        self._attr_volume_level = 0.5
        self._attr_is_volume_muted = False
        for name in _RESTORED:
            if name in attributes:
                setattr(self, f"_attr_{name}", attributes[name])

    @override
    async def async_turn_on(self) -> None:
        self.changed(state=MediaPlayerState.IDLE)

    @override
    async def async_turn_off(self) -> None:
        self.changed(state=MediaPlayerState.OFF)

    @override
    async def async_media_play(self) -> None:
        self.changed(state=MediaPlayerState.PLAYING)

    @override
    async def async_media_pause(self) -> None:
        self.changed(state=MediaPlayerState.PAUSED)

    @override
    async def async_media_stop(self) -> None:
        self.changed(state=MediaPlayerState.IDLE)

    @override
    async def async_media_next_track(self) -> None:
        self.changed(media_track=(self.media_track or 1) + 1)

    @override
    async def async_media_previous_track(self) -> None:
        self.changed(media_track=max((self.media_track or 1) - 1, 1))

    @override
    async def async_set_volume_level(self, volume: float) -> None:
        self.changed(volume_level=volume)

    @override
    async def async_mute_volume(self, mute: bool) -> None:
        self.changed(is_volume_muted=mute)

    @override
    async def async_select_source(self, source: str) -> None:
        self.changed(source=source)


async_setup_platform = platform_setup(DemoMediaPlayer)
