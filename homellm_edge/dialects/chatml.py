"""Models of the seed's kind: the whole home in the prompt, real ids in the output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..engine.base import Request
from ..errors import CallError
from ..grammar import HomeGrammar
from ..home import Home
from ..prompt import PastTurn, Prompt, Rendered, chatml_prompt
from ..prompt.chatml import END
from ..services import (
    MAX_TARGETS,
    ServiceCall,
    check_call,
    check_group_call,
    service_for,
)
from .base import PromptOptions, Situation, Step
from .exchanges import exchanges

_NOT_DATA = frozenset({"service", "target_device", "target_area"})


class ChatMLDialect:
    """The seed's prompt and output form, held to the live home by a grammar."""

    speaks = True
    hinted = False
    exemplified = True

    def __init__(self) -> None:
        self._grammar = HomeGrammar()
        self._rendered = Rendered()

    def standing(
        self, home: Home, history: Sequence[PastTurn], options: PromptOptions
    ) -> Prompt:
        """The lines of all devices, and the conversation so far."""
        return chatml_prompt(
            home,
            "",
            persona=options.persona,
            history=history,
            rendered=self._rendered,
        )

    def past(self, situation: Situation, written: str) -> PastTurn:
        """Sentence and circumstances as they stood in the prompt, and the output."""
        context = _context(situation.home, situation)
        return PastTurn(situation.sentence, written, context)

    def request(self, situation: Situation, options: PromptOptions) -> Request:
        """Prompt with all devices; the grammar allows what the home offers.

        As many examples as are wanted stand in it, and in no later turn's history.
        """
        home = situation.home
        return Request(
            prompt=chatml_prompt(
                home,
                situation.sentence,
                persona=options.persona,
                history=situation.history,
                context=_context(home, situation),
                wanted=situation.grounding.entities,
                examples=exchanges(situation, options.examples),
                rendered=self._rendered,
            ),
            grammar=self._grammar.text(home),
            max_tokens=options.max_tokens,
            stop=(END,),
            sampling=options.sampling,
        )

    def steps(self, situation: Situation, data: Mapping[str, Any]) -> Sequence[Step]:
        """The checked calls of one object: one, or several for an area."""
        home, service = situation.home, data.get("service")
        device, area = data.get("target_device"), data.get("target_area")
        if not isinstance(service, str) or (device is None) == (area is None):
            raise CallError(
                "a call without service or without one target",
                "give a service and either target_device or target_area",
            )
        # A server held to a JSON Schema writes null for what it leaves out.
        values = {k: v for k, v in data.items() if k not in _NOT_DATA and v is not None}
        if device is None:
            return check_group_call(home, service, str(area), values)
        targets = device if isinstance(device, list) else [device]
        if not all(isinstance(target, str) for target in targets):
            raise CallError("a target that is no text", "name devices by their ids")
        call = check_call(home, service, targets, values)
        if len(call.targets) > 1:
            _check_several(home, call)
        return [call]


def _check_several(home: Home, call: ServiceCall) -> None:
    if len(call.targets) > MAX_TARGETS:
        raise CallError(
            f"a call of {len(call.targets)} devices",
            f"list up to {MAX_TARGETS}, or name the area",
        )
    for target in call.targets:
        entity = home.entity(target)
        offered = service_for(entity, call.service) if entity else None
        if offered is not None and offered.explicit:
            raise CallError(
                f"{call.service} is only done to one device by its name", "name it"
            )


def _context(home: Home, situation: Situation) -> str:
    parts = []
    if situation.now is not None:
        parts.append(f"It is {situation.now:%A %H:%M}.")
    area = home.area(situation.area)
    if area is not None:
        parts.append(f"The speaker is in the {area.name}.")
    return " ".join(parts)
