"""The options of an entry as the agent understands them, read for every request."""

from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, TemplateError
from homeassistant.helpers.template import Template

from homellm_edge.agent import AgentOptions
from homellm_edge.dialects import PromptOptions

from .const import CONF_HISTORY, CONF_MAX_TOKENS, CONF_PERSONA, DOMAIN


def agent_options(hass: HomeAssistant, entry: ConfigEntry[Any]) -> AgentOptions:
    """The entry's options; what is not set stays at the library's default.

    Raises HomeAssistantError if the persona's template cannot be rendered.
    """
    options = entry.options
    agent: dict[str, Any] = {}
    prompt: dict[str, Any] = {}
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
