"""The options of an entry as the library understands them.

What the agent has is read for every request, what the engine is loaded with at once.
"""

from dataclasses import dataclass
from typing import Any, Self

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, TemplateError
from homeassistant.helpers.template import Template

from homellm_edge.agent import AgentOptions
from homellm_edge.dialects import PromptOptions

from .const import (
    CONF_CONTEXT,
    CONF_HISTORY,
    CONF_KV_DAILY_MB,
    CONF_KV_PLAN,
    CONF_MAX_TOKENS,
    CONF_PERSONA,
    CONF_THREADS,
    CONTEXT_AUTOMATIC,
    DEFAULT_KV_DAILY_MB,
    DOMAIN,
    KV_PLAN_AUTOMATIC,
    THREADS_AUTOMATIC,
)

_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class LoadSettings:
    """What the engine is loaded with; a change loads the model anew.

    None leaves it to the engine.
    """

    threads: int | None
    context: int | None
    kv_plan: str
    daily_bytes: int

    @classmethod
    def of(cls, entry: ConfigEntry[Any]) -> Self:
        """The entry's present ones."""
        options = entry.options
        megabytes = int(options.get(CONF_KV_DAILY_MB, DEFAULT_KV_DAILY_MB))
        return cls(
            threads=int(options.get(CONF_THREADS, THREADS_AUTOMATIC)) or None,
            context=int(options.get(CONF_CONTEXT, CONTEXT_AUTOMATIC)) or None,
            kv_plan=options.get(CONF_KV_PLAN, KV_PLAN_AUTOMATIC),
            daily_bytes=megabytes * _MEGABYTE,
        )


def agent_options(
    hass: HomeAssistant, entry: ConfigEntry[Any], examples: int = 0
) -> AgentOptions:
    """The entry's options; what is not set stays at the library's default.

    `examples` are the example exchanges that suit the model.

    Raises HomeAssistantError if the persona's template cannot be rendered.
    """
    options = entry.options
    agent: dict[str, Any] = {}
    prompt: dict[str, Any] = {"examples": examples}
    if CONF_HISTORY in options:
        agent["history"] = int(options[CONF_HISTORY])
    if CONF_MAX_TOKENS in options:
        prompt["max_tokens"] = int(options[CONF_MAX_TOKENS])
    if persona := options.get(CONF_PERSONA, "").strip():
        prompt["persona"] = _render(hass, persona)
    return AgentOptions(prompt=PromptOptions(**prompt), **agent)


def _render(hass: HomeAssistant, persona: str) -> str:
    try:
        text = Template(persona, hass).async_render(
            {"ha_name": hass.config.location_name}, parse_result=False
        )
    except TemplateError as err:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="persona_template",
            translation_placeholders={"error": str(err)},
        ) from err
    return str(text).strip()
