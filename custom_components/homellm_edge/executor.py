"""Carries checked calls out in Home Assistant, and looks up what states do not tell."""

import logging
from typing import Any

from homeassistant.core import HomeAssistant

from homellm_edge.execute import CallResult
from homellm_edge.home import Home
from homellm_edge.lookups import Records
from homellm_edge.queries import Query
from homellm_edge.services import ServiceCall

from . import ha_api, ha_calls, lists, lookups, media, timers
from .home_source import HomeSource
from .request import current_request
from .waiting import failure, settled

_LOGGER = logging.getLogger(__name__)


class HassExecutor:
    """The `homellm_edge.execute.Executor` of a real home."""

    def __init__(self, hass: HomeAssistant, source: HomeSource) -> None:
        self._hass = hass
        self._source = source

    def home(self) -> Home:
        """The exposed home as it is now."""
        return self._source.home()

    async def execute(self, call: ServiceCall) -> CallResult:
        """Carry the call out and wait for it; never raises, the result tells."""
        error = self._refusal(call) or await self._finish(call)
        if error:
            _LOGGER.debug("%s of %s failed: %s", call.service, call.targets, error)
        ha_api.trace_tool_call(call.service, _service_data(call), error)
        return CallResult(call, error)

    async def look_up(self, query: Query) -> Records:
        """What a list, calendar, forecast or timer holds; never raises."""
        return await lookups.look_up(self._hass, query)

    def _refusal(self, call: ServiceCall) -> str:
        for target in call.targets:
            if not ha_api.is_exposed(self._hass, target):
                return ha_api.not_exposed(self._hass, target)
        return ""

    async def _finish(self, call: ServiceCall) -> str:
        task = await settled(self._hass, self._call(call), call.service)
        names = [ha_api.entity_name(self._hass, target) for target in call.targets]
        who = " and ".join(names) or "Home Assistant"
        return failure(task, who) or (task.result() if task else "")

    async def _call(self, call: ServiceCall) -> str:
        """Carry the call out; an error as a sentence, or "". May raise."""
        hass, data, request = self._hass, call.data, current_request()
        if not call.targets and call.domain == "timer":
            return await timers.carry_out(hass, call.service, data, request)
        if call.service == "shopping_list.add_item":
            return await lists.add_to_shopping_list(hass, str(data["item"]), request)
        if call.service in lists.ON_PRESENT_ITEMS:
            return await lists.change_item(hass, call, request)
        if call.service == "media_player.play_media" and "search_query" in data:
            players = [e for t in call.targets if (e := self.home().entity(t))]
            wanted = str(data["search_query"])
            return await media.search_and_play(hass, players, wanted, request)
        await ha_calls.call_service(hass, call.service, _service_data(call), request)
        return ""


def _service_data(call: ServiceCall) -> dict[str, Any]:
    targets = {"entity_id": list(call.targets)} if call.targets else {}
    return {**targets, **call.data}
