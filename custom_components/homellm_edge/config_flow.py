"""Forms: which model to use, and the options that are read for every request."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, override

import probatio
from homeassistant.config_entries import (
    ConfigEntry,
    ConfigFlow,
    ConfigFlowResult,
    OptionsFlow,
)
from homeassistant.core import callback
from homeassistant.helpers.selector import (
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TemplateSelector,
    TextSelector,
)

from .const import (
    CONF_CONTEXT,
    CONF_HISTORY,
    CONF_KV_DAILY_MB,
    CONF_KV_PLAN,
    CONF_MAX_TOKENS,
    CONF_MODEL,
    CONF_MODEL_PATH,
    CONF_PERSONA,
    CONF_THREADS,
    CONTEXT_AUTOMATIC,
    DEFAULT_KV_DAILY_MB,
    DEFAULT_TITLE,
    DOMAIN,
    KV_PLAN_AUTOMATIC,
    KV_PLANS,
    MODEL_DEFAULT,
    MODEL_FILE,
    THREADS_AUTOMATIC,
)
from .model_file import ModelFileError, async_check_model
from .wheels import InstallError, async_ensure_installed

_USER_SCHEMA = probatio.Schema(
    {
        probatio.Required(CONF_MODEL, default=MODEL_DEFAULT): SelectSelector(
            SelectSelectorConfig(
                options=[MODEL_DEFAULT, MODEL_FILE],
                mode=SelectSelectorMode.LIST,
                translation_key="model",
            )
        )
    }
)
_FILE_SCHEMA = probatio.Schema({probatio.Required(CONF_MODEL_PATH): TextSelector()})


def _count(low: int, high: int, **more: Any) -> NumberSelector:
    return NumberSelector(
        NumberSelectorConfig(
            min=low, max=high, step=1, mode=NumberSelectorMode.BOX, **more
        )
    )


_OPTIONS_SCHEMA = probatio.Schema(
    {
        probatio.Optional(CONF_PERSONA): TemplateSelector(),
        probatio.Optional(CONF_MAX_TOKENS): _count(16, 2048),
        probatio.Optional(CONF_HISTORY): _count(0, 20),
        probatio.Optional(CONF_THREADS, default=THREADS_AUTOMATIC): _count(0, 64),
        probatio.Optional(CONF_CONTEXT, default=CONTEXT_AUTOMATIC): _count(0, 131072),
        probatio.Optional(CONF_KV_PLAN, default=KV_PLAN_AUTOMATIC): SelectSelector(
            SelectSelectorConfig(
                options=list(KV_PLANS),
                mode=SelectSelectorMode.DROPDOWN,
                translation_key="kv_plan",
            )
        ),
        probatio.Optional(CONF_KV_DAILY_MB, default=DEFAULT_KV_DAILY_MB): _count(
            0, 10000, unit_of_measurement="MB"
        ),
    }
)


@dataclass(frozen=True, slots=True)
class _Problem:
    """Why a step shows its form again: an error's translation key, and details."""

    key: str = ""
    details: str = ""


class HomellmEdgeConfigFlow(ConfigFlow, domain=DOMAIN):
    """Sets up the embedded model or a model file of the user's."""

    VERSION = 1
    MINOR_VERSION = 1

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry[Any]) -> OptionsFlow:
        """The options of an entry."""
        return HomellmEdgeOptionsFlow()

    @override
    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the kind of model; the embedded one is set up at once."""
        problem = _Problem()
        if user_input is not None:
            if user_input[CONF_MODEL] == MODEL_FILE:
                return await self.async_step_file()
            await self.async_set_unique_id(MODEL_DEFAULT)
            self._abort_if_unique_id_configured()
            problem, _ = await self._async_check(None)
            if not problem.key:
                return self.async_create_entry(title=DEFAULT_TITLE, data={})
        return self._async_form("user", _USER_SCHEMA, user_input, problem)

    async def async_step_file(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the path of a GGUF file and look at the file."""
        problem = _Problem()
        if user_input is not None:
            problem, path = await self._async_check(user_input[CONF_MODEL_PATH])
            if not problem.key:
                await self.async_set_unique_id(str(path))
                self._abort_if_unique_id_configured()
                return self.async_create_entry(
                    title=path.stem, data={CONF_MODEL_PATH: str(path)}
                )
        return self._async_form("file", _FILE_SCHEMA, user_input, problem)

    async def _async_check(self, path: str | None) -> tuple[_Problem, Path]:
        """Install the library and look at the model; None is the embedded one."""
        try:
            await async_ensure_installed(self.hass)
        except InstallError as err:
            return _Problem("cannot_install", str(err)), Path()
        try:
            found = await async_check_model(self.hass, path)
        except ModelFileError as err:
            return _Problem(err.key, str(err)), Path()
        return _Problem(), found

    def _async_form(
        self,
        step_id: str,
        schema: probatio.Schema,
        user_input: dict[str, Any] | None,
        problem: _Problem,
    ) -> ConfigFlowResult:
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(schema, user_input),
            errors={"base": problem.key} if problem.key else None,
            description_placeholders={"error": problem.details},
        )


class HomellmEdgeOptionsFlow(OptionsFlow):
    """Options of an entry; those of `options.LoadSettings` load the model anew."""

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """The one form."""
        if user_input is not None:
            return self.async_create_entry(data=_whole_numbers(user_input))
        return self.async_show_form(
            step_id="init",
            data_schema=self.add_suggested_values_to_schema(
                _OPTIONS_SCHEMA, self.config_entry.options
            ),
        )


def _whole_numbers(options: dict[str, Any]) -> dict[str, Any]:
    """Number fields give floats; all of ours are counts."""
    return {k: int(v) if isinstance(v, float) else v for k, v in options.items()}
