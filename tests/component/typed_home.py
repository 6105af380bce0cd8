"""The demo home in Home Assistant, and what came of a sentence that was said in it."""

from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from homeassistant.components.conversation import async_converse
from homeassistant.components.homeassistant.exposed_entities import async_expose_entity
from homeassistant.components.intent import (
    TimerInfo,
    async_register_timer_handler,
)
from homeassistant.components.intent.const import TIMER_DATA
from homeassistant.const import EVENT_CALL_SERVICE
from homeassistant.core import Context, Event, HomeAssistant
from homeassistant.helpers import area_registry as ar
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import floor_registry as fr
from homeassistant.helpers.entity_platform import async_get_platforms
from homeassistant.setup import async_setup_component
from homeassistant.util.yaml import load_yaml_dict
from pytest_homeassistant_custom_component.common import MockConfigEntry

from support import AGENT, refreshed, said

REPOSITORY = Path(__file__).resolve().parents[2]
INTEGRATIONS = REPOSITORY / "scripts/demo_home/custom_components"
HOME_FILE = REPOSITORY / "examples/demo_home.yaml"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a sentence led to. `calls`: service, the entities, the other arguments."""

    speech: str
    asks: bool
    calls: tuple[tuple[str, frozenset[str], dict[str, Any]], ...]
    timers: tuple[TimerInfo, ...]


class TypedHome:
    """The demo home with a shopping list; a sentence does not feel the one before."""

    def __init__(self, hass: HomeAssistant, home: dict[str, Any]) -> None:
        self._hass = hass
        self._items = {item["entity_id"]: item for item in home["entities"]}
        self._calls: list[tuple[str, frozenset[str], dict[str, Any]]] = []
        self._satellites: dict[str, str] = {}
        hass.bus.async_listen(EVENT_CALL_SERVICE, self._called)

    @property
    def entities(self) -> frozenset[str]:
        """All that the agent may touch."""
        return frozenset({*self._items, "todo.shopping_list"})

    @classmethod
    async def make(cls, hass: HomeAssistant) -> TypedHome:
        """Set it up; the demo integration and `shopping_list` must be there to load."""
        home = await hass.async_add_executor_job(load_yaml_dict, str(HOME_FILE))
        for domain in ("homeassistant", "conversation", "intent"):
            assert await async_setup_component(hass, domain, {})
        config = {"homellm_demo": {"home": str(HOME_FILE)}}
        assert await async_setup_component(hass, "homellm_demo", config)
        await hass.async_block_till_done()
        made = cls(hass, home)
        made._furnish(home)
        await hass.async_block_till_done()
        return made

    async def ask(self, text: str, area: str | None) -> Outcome:
        """Say it, by a satellite in that area, in the home as its file describes it."""
        self._restore()
        await refreshed(self._hass)
        self._calls.clear()
        result = await async_converse(
            self._hass,
            text,
            None,
            Context(),
            language="en",
            agent_id=AGENT,
            device_id=self._satellites[area] if area else None,
        )
        await self._hass.async_block_till_done()
        return Outcome(
            said(result),
            bool(result.continue_conversation),
            tuple(self._calls),
            self._started_timers(),
        )

    def _called(self, event: Event) -> None:
        data = dict(event.data["service_data"])
        targets = data.pop("entity_id", [])
        if isinstance(targets, str):
            targets = [targets]
        service = f"{event.data['domain']}.{event.data['service']}"
        self._calls.append((service, frozenset(targets), data))

    def _furnish(self, home: dict[str, Any]) -> None:
        hass = self._hass
        floors, areas, entities = (
            fr.async_get(hass),
            ar.async_get(hass),
            er.async_get(hass),
        )
        floor_ids = {
            floor["id"]: floors.async_create(
                floor["name"], aliases=set(floor["aliases"]), level=floor["level"]
            ).floor_id
            for floor in home["floors"]
        }
        for area in home["areas"]:
            made = areas.async_create(
                area["name"],
                aliases=set(area.get("aliases", ())),
                floor_id=floor_ids.get(area.get("floor")),
            )
            assert made.id == area["id"]
            self._satellites[made.id] = self._satellite(made.id)
        for entity_id, item in self._items.items():
            entities.async_update_entity(
                entity_id,
                area_id=item["area"],
                aliases=[er.COMPUTED_NAME, *item.get("aliases", ())],
            )
            async_expose_entity(hass, "conversation", entity_id, True)
        async_expose_entity(hass, "conversation", "todo.shopping_list", True)

    def _satellite(self, area_id: str) -> str:
        entry = MockConfigEntry(domain="test")
        entry.add_to_hass(self._hass)
        registry = dr.async_get(self._hass)
        device = registry.async_get_or_create(
            config_entry_id=entry.entry_id, identifiers={("test", area_id)}
        )
        registry.async_update_device(device.id, area_id=area_id)

        async_register_timer_handler(self._hass, device.id, lambda *_: None)
        return device.id

    def _started_timers(self) -> tuple[TimerInfo, ...]:
        """Read from the manager: of a timer with a command no satellite hears."""
        manager = self._hass.data[TIMER_DATA]
        started = tuple(map(copy, manager.timers.values()))  # cancelling changes them
        for timer in started:
            manager.cancel_timer(timer.id)
        return started

    def _restore(self) -> None:
        for platform in async_get_platforms(self._hass, "homellm_demo"):
            for entity in platform.entities.values():
                item = self._items[entity.entity_id]
                entity.restore(str(item["state"]), item.get("attributes") or {})
                entity.async_write_ha_state()
