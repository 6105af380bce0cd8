"""A Home Assistant with a small home, and entries whose model follows a script."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from homeassistant.components import conversation
from homeassistant.components.homeassistant.exposed_entities import async_expose_entity
from homeassistant.core import Context, HomeAssistant
from homeassistant.helpers import (
    area_registry as ar,
)
from homeassistant.helpers import (
    entity_registry as er,
)
from homeassistant.helpers import (
    floor_registry as fr,
)
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry

import custom_components  # noqa: F401  (found before the test plugin's own package)
from custom_components.homellm_edge.executor import HassExecutor
from custom_components.homellm_edge.home_source import HomeSource
from gguf_factory import write_llama
from homellm_edge import models
from homellm_edge.engine.scripted import ScriptedEngine
from support import AGENT, DOMAIN, Ask, SetUp, Shopping


def _template_light(name: str, unique_id: str, switch: str) -> dict[str, Any]:
    target = {"target": {"entity_id": switch}}
    return {
        "name": name,
        "unique_id": unique_id,
        "state": f"{{{{ is_state('{switch}', 'on') }}}}",
        "turn_on": {"action": "input_boolean.turn_on", **target},
        "turn_off": {"action": "input_boolean.turn_off", **target},
    }


@pytest.fixture(autouse=True)
def _custom_integrations(enable_custom_integrations: None) -> None:
    """Let Home Assistant load the integration of this repository."""


@pytest.fixture
async def home(hass: HomeAssistant) -> HomeAssistant:
    """Two floors, two areas, two working lights, a thermostat; all real or exposed.

    light.kitchen_lamp (alias "cooking light", kitchen) and light.bedroom_lamp switch
    input_boolean.kitchen and input_boolean.bedroom, which are not exposed.
    """
    for domain in ("homeassistant", "conversation"):
        assert await async_setup_component(hass, domain, {})
    names = ("kitchen", "bedroom")
    assert await async_setup_component(
        hass, "input_boolean", {"input_boolean": {n: {"name": n} for n in names}}
    )
    lights = [
        _template_light(f"{n.title()} Lamp", f"{n}_lamp", f"input_boolean.{n}")
        for n in names
    ]
    assert await async_setup_component(
        hass, "template", {"template": [{"light": lights}]}
    )
    await hass.async_block_till_done()
    floors, areas, entities = fr.async_get(hass), ar.async_get(hass), er.async_get(hass)
    ground = floors.async_create("Ground floor", aliases={"downstairs"}, level=0)
    upper = floors.async_create("Upper floor", level=1)
    kitchen = areas.async_create(
        "Kitchen", floor_id=ground.floor_id, aliases={"galley"}
    )
    bedroom = areas.async_create("Bedroom", floor_id=upper.floor_id)
    entities.async_update_entity(
        "light.kitchen_lamp",
        area_id=kitchen.id,
        aliases=[er.COMPUTED_NAME, "cooking light"],
    )
    entities.async_update_entity("light.bedroom_lamp", area_id=bedroom.id)
    for name in names:
        async_expose_entity(hass, "conversation", f"input_boolean.{name}", False)
    await hass.async_block_till_done()
    return hass


@pytest.fixture
def runs(home: HomeAssistant) -> Iterator[HassExecutor]:
    """The executor of the small home."""
    source = HomeSource(home, lambda: None)
    source.start()
    yield HassExecutor(home, source)
    source.stop()


@pytest.fixture
async def shopping(home: HomeAssistant) -> AsyncIterator[Shopping]:
    """What todo.shopping_list, Home Assistant's own, holds as (item, done)."""
    entry = MockConfigEntry(domain="shopping_list")
    entry.add_to_hass(home)
    kept = "homeassistant.components.shopping_list.common.ShoppingData"
    with patch(f"{kept}.save"), patch(f"{kept}.async_load"):
        assert await home.config_entries.async_setup(entry.entry_id)
        await home.async_block_till_done()
        yield lambda: [
            (item["name"], item["complete"]) for item in entry.runtime_data.items
        ]


@pytest.fixture
async def set_up(
    home: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[SetUp]:
    """A function that sets an entry up; its model says the given outputs in turn."""
    entries: list[MockConfigEntry] = []

    async def run(
        *outputs: str | BaseException,
        data: dict[str, Any] | None = None,
        options: dict[str, Any] | None = None,
        title: str = "HomeLLM Edge",
    ) -> MockConfigEntry:
        import custom_components.homellm_edge.runtime as runtime

        def load_engine(*_: object) -> ScriptedEngine:
            return ScriptedEngine(outputs)

        monkeypatch.setattr(runtime, "load_engine", load_engine)
        entry = MockConfigEntry(
            domain=DOMAIN, title=title, data=data or {}, options=options or {}
        )
        entry.add_to_hass(home)
        entries.append(entry)
        assert await home.config_entries.async_setup(entry.entry_id)
        await home.async_block_till_done()
        return entry

    yield run
    for entry in entries:
        if entry.state.recoverable and hasattr(entry, "runtime_data"):
            await home.config_entries.async_unload(entry.entry_id)


@pytest.fixture
def ask(home: HomeAssistant) -> Ask:
    """Ask the agent a sentence as Home Assistant's voice pipeline does."""

    async def run(
        text: str,
        *,
        conversation_id: str | None = None,
        context: Context | None = None,
        **more: Any,
    ) -> conversation.ConversationResult:
        return await conversation.async_converse(
            home,
            text,
            conversation_id,
            context or Context(),
            language="en",
            agent_id=AGENT,
            **more,
        )

    return run


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Writes a tiny model with random weights that llama.cpp loads."""

    def write(name: str, **options: Any) -> Path:
        path = write_llama(tmp_path / name, **options)
        if name == "default.gguf":
            monkeypatch.setattr(models, "DEFAULT_MODEL", path)
        return path

    return write
