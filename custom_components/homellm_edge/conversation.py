"""The conversation entity: sentences in, streamed answers out."""

import dataclasses
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Literal, override

from homeassistant.components import conversation
from homeassistant.components.conversation.chat_log import AssistantContentDeltaDict
from homeassistant.const import MATCH_ALL
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util import dt as dt_util

from homellm_edge.agent import CallDone, Question, SpeechDelta, TurnDone
from homellm_edge.dialects import DIALECTS
from homellm_edge.errors import HomellmEdgeError
from homellm_edge.translation import LANGUAGES

from . import HomellmEdgeConfigEntry, ha_api
from .const import DOMAIN, LIBRARY_VERSION
from .request import acting_for

_LOGGER = logging.getLogger(__name__)

PARALLEL_UPDATES = 0
"""Nothing is polled, and the engine itself lets one turn after the other in."""


async def async_setup_entry(
    hass: HomeAssistant,
    entry: HomellmEdgeConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the entry's conversation entity."""
    async_add_entities([HomellmEdgeConversationEntity(entry)])


class HomellmEdgeConversationEntity(conversation.ConversationEntity):
    """An agent that answers through the entry's model."""

    _attr_has_entity_name = True
    _attr_name = None
    _attr_translation_key = "agent"
    _attr_supports_streaming = True
    _attr_supported_features = conversation.ConversationEntityFeature.CONTROL

    def __init__(self, entry: HomellmEdgeConfigEntry) -> None:
        self._runtime = entry.runtime_data
        self._attr_unique_id = entry.entry_id
        self._attr_device_info = DeviceInfo(
            identifiers={(DOMAIN, entry.entry_id)},
            name=entry.title,
            manufacturer="HomeLLM Edge",
            model=self._runtime.model_name,
            sw_version=LIBRARY_VERSION,
            entry_type=DeviceEntryType.SERVICE,
        )

    @property
    @override
    def supported_languages(self) -> list[str] | Literal["*"]:
        """Those that are translated for our own model; any for others, who knows."""
        if DIALECTS[self._runtime.backend.prompt_format].hinted:
            return ["en", *LANGUAGES]
        return MATCH_ALL

    @override
    async def async_prepare(self, language: str | None = None) -> None:
        """Somebody is about to speak."""
        self._runtime.prepare()

    @override
    async def _async_handle_message(
        self,
        user_input: conversation.ConversationInput,
        chat_log: conversation.ChatLog,
    ) -> conversation.ConversationResult:
        self._runtime.apply_options()
        question = Question(
            text=user_input.text,
            area=ha_api.speaker_area(self.hass, user_input),
            language=user_input.language,
            conversation_id=chat_log.conversation_id,
            now=dt_util.now(),
        )
        done: list[TurnDone] = []
        try:
            with acting_for(ha_api.request_of(self.hass, user_input)):
                async for _ in chat_log.async_add_delta_content_stream(
                    self.entity_id, self._deltas(question, done)
                ):
                    pass
        except HomellmEdgeError as err:
            # The log of the conversation shows it; this tells where it comes from.
            _LOGGER.debug("The turn failed", exc_info=True)
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key="turn_failed",
                translation_placeholders={"error": str(err)},
            ) from err
        return ha_api.conversation_result(
            self.entity_id,
            user_input,
            chat_log,
            asks_back=any(turn.continue_conversation for turn in done),
        )

    async def _deltas(
        self, question: Question, done: list[TurnDone]
    ) -> AsyncGenerator[AssistantContentDeltaDict]:
        """The turn as deltas of the chat log; its closing event goes into `done`."""
        yield {"role": "assistant"}
        turn = self._runtime.agent.turn(question)
        blank = ""  # held back: the line feed before a block of calls is not spoken
        async with aclosing(turn) as events:  # type: ignore[type-var]
            async for event in events:
                match event:
                    case SpeechDelta(text):
                        text = blank + text
                        spoken = text.rstrip()
                        blank = text[len(spoken) :]
                        if spoken:
                            yield {"content": spoken}
                    case CallDone(result):
                        _LOGGER.debug("%s done: %s", result.call.service, result.ok)
                    case TurnDone():
                        done.append(event)
                        ha_api.trace_turn(
                            {
                                "usage": dataclasses.asdict(event.usage),
                                "timing_ms": event.timing_ms,
                                "queries": list(event.queries),
                            }
                        )
