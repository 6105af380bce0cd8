"""A loaded model with its agent, and the home it works on. Needs the library.

Nothing imports this module before the library is installed; see `__init__`.
"""

import asyncio
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.start import async_at_started

from homellm_edge.agent import Agent
from homellm_edge.engine.base import Backend
from homellm_edge.engine.llama import LlamaEngine
from homellm_edge.errors import HomellmEdgeError
from homellm_edge.grounding import prepare
from homellm_edge.meaning import MeaningHints
from homellm_edge.sources import examples_for, hint_source

from .const import CONF_MODEL_PATH
from .executor import HassExecutor
from .home_source import HomeSource
from .left_out import LeftOut
from .model_file import cache_folder, default_model
from .options import LoadSettings, agent_options
from .phrases import read_own

_LOGGER = logging.getLogger(__name__)

REFRESH_DELAY = 0.2
"""Seconds in which further changes join the first; a scene changes many lights."""


@dataclass(slots=True)
class Runtime:
    """What a config entry has while it is set up."""

    hass: HomeAssistant
    entry: ConfigEntry[Any]
    backend: Backend
    settings: LoadSettings
    hints: MeaningHints | None = None
    agent: Agent = field(init=False)
    source: HomeSource = field(init=False)
    left_out: LeftOut = field(init=False)
    refreshes: int = field(init=False, default=0)
    refreshed_tokens: int = field(init=False, default=0)
    _timer: CALLBACK_TYPE | None = field(init=False, default=None)
    _refreshing: asyncio.Task[None] | None = field(init=False, default=None)
    _failed: bool = field(init=False, default=False)
    _following: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self.source = HomeSource(self.hass, self.prepare)
        executor = HassExecutor(self.hass, self.source)
        self.agent = Agent(self.backend, executor, hints=self.hints)
        self.left_out = LeftOut(self.hass, self.entry)

    @property
    def model_name(self) -> str:
        """The model as a person knows it: the name of its file."""
        return model_path(self.entry).stem

    @property
    def outdated(self) -> bool:
        """Whether an option was changed that needs the model to be loaded anew."""
        return LoadSettings.of(self.entry) != self.settings

    @property
    def kv_plan(self) -> str:
        """How the home lies in the KV cache; none where the backend has no such."""
        return str(getattr(self.backend, "kv_plan", "none"))

    @property
    def context(self) -> int | None:
        """Tokens that the model can look at, if the backend knows."""
        return getattr(self.backend, "n_ctx", None)

    @callback
    def start(self) -> None:
        """Follow the home from when Home Assistant has started; end with it."""
        self.source.start()
        self.entry.async_on_unload(async_at_started(self.hass, self._started))
        self.entry.async_on_unload(
            self.hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, self.stop)
        )

    async def stop(self, _: Event | None = None) -> None:
        """Cancel what runs and free the model. Safe to call twice."""
        self._following = False
        self.source.stop()
        if self._timer:
            self._timer()
            self._timer = None
        if self._refreshing:
            self._refreshing.cancel()
            await asyncio.wait({self._refreshing})
        self.left_out.withdraw()
        await self.backend.close()
        if self.hints:
            await self.hass.async_add_executor_job(self.hints.close)

    def apply_options(self) -> None:
        """Use the entry's present options from now on; raises HomeAssistantError."""
        info = getattr(self.backend, "info", None)
        examples = examples_for(info) if info and self.hints else 0
        self.agent.options = agent_options(self.hass, self.entry, examples)

    @callback
    def prepare(self) -> None:
        """Soon bring the prompt of the present home into the model's cache."""
        if self._following and self._timer is None:
            handle = self.hass.loop.call_later(REFRESH_DELAY, self._start_refresh)
            self._timer = handle.cancel

    @callback
    def _started(self, _: HomeAssistant) -> None:
        # Not earlier: while Home Assistant starts, devices appear one after the other.
        self._following = True
        self.prepare()

    @callback
    def _start_refresh(self) -> None:
        self._timer = None
        if self._refreshing and not self._refreshing.done():
            self.prepare()  # try again when the running one has had its time
            return
        self._refreshing = self.entry.async_create_background_task(
            self.hass, self._refresh(), "homellm_edge refresh"
        )

    async def _refresh(self) -> None:
        try:
            self.apply_options()
            tokens = await self.agent.refresh()
        except (HomellmEdgeError, HomeAssistantError) as err:
            level = logging.DEBUG if self._failed else logging.WARNING
            _LOGGER.log(level, "Preparing the prompt failed: %s", err)
            self._failed = True
        else:
            if self._failed:
                _LOGGER.warning("Preparing the prompt works again")
            self._failed = False
            _LOGGER.debug("Prepared the prompt: %d tokens evaluated", tokens)
            self.refreshes += 1
            self.refreshed_tokens += tokens
            cut = getattr(self.backend, "cut", None)  # what of the prompt had no room
            self.left_out.update(cut.blocks if cut else (), self.source.home())


def model_path(entry: ConfigEntry[Any]) -> Path:
    """The entry's model file; an entry without data uses the embedded model."""
    path = entry.data.get(CONF_MODEL_PATH)
    return Path(path) if path else default_model()


async def async_load(hass: HomeAssistant, entry: ConfigEntry[Any]) -> Runtime:
    """Load the entry's model; raises HomellmEdgeError."""
    settings = LoadSettings.of(entry)
    cache = await hass.async_add_executor_job(cache_folder, hass)
    backend = await hass.async_add_executor_job(
        load_engine, model_path(entry), settings, cache
    )
    hints = await hass.async_add_executor_job(load_hints, hass, backend)
    return Runtime(hass, entry, backend, settings, hints)


def load_hints(hass: HomeAssistant, backend: Backend) -> MeaningHints | None:
    """What the model is helped with, if it takes hints or examples; blocks."""
    info = getattr(backend, "info", None)
    if info is None:
        return None
    try:
        source = hint_source(info, examples_for(info), own=read_own(hass))
    except HomellmEdgeError as err:
        # The model understands most without it.
        _LOGGER.warning("The sentence encoder does not work: %s", err)
        return None
    return source if isinstance(source, MeaningHints) else None


def load_engine(path: Path, settings: LoadSettings, cache: Path | None) -> Backend:
    """Load a model file; blocks. Without a folder nothing is remembered."""
    prepare()  # reads files, which a sentence in the event loop must not
    return LlamaEngine.load(
        path,
        n_ctx=settings.context,
        n_threads=settings.threads,
        kv_plan=settings.kv_plan,
        daily_bytes=settings.daily_bytes,
        cache_dir=cache,
    )
