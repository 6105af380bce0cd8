"""Models of the seed's kind: the whole home in the prompt, real ids in the output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..engine.base import Request
from ..errors import CallError
from ..grammar import home_grammar
from ..home import Home
from ..prompt.chatml import END, chatml_prompt
from ..services import check_call
from .base import PromptOptions, Situation, Step

_NOT_DATA = frozenset({"service", "target_device"})


class ChatMLDialect:
    """The seed's prompt and output form, held to the live home by a grammar."""

    speaks = True

    def request(self, situation: Situation, options: PromptOptions) -> Request:
        """Prompt with all devices; the grammar allows what the home offers."""
        home = situation.home
        return Request(
            prompt=chatml_prompt(
                home,
                situation.sentence,
                persona=options.persona,
                history=situation.history,
                context=_context(home, situation),
            ),
            grammar=home_grammar(home),
            max_tokens=options.max_tokens,
            stop=(END,),
            sampling=options.sampling,
        )

    def steps(self, situation: Situation, data: Mapping[str, Any]) -> Sequence[Step]:
        """One checked call per object; the id is the device's own."""
        service, target = data.get("service"), data.get("target_device")
        if not isinstance(service, str) or not isinstance(target, str | list):
            raise CallError("a call without service and target_device", "give both")
        targets = [target] if isinstance(target, str) else [str(t) for t in target]
        values = {k: v for k, v in data.items() if k not in _NOT_DATA}
        return [check_call(situation.home, service, targets, values)]


def _context(home: Home, situation: Situation) -> str:
    parts = []
    if situation.now is not None:
        parts.append(f"It is {situation.now:%A %H:%M}.")
    area = home.area(situation.area)
    if area is not None:
        parts.append(f"The speaker is in the {area.name}.")
    return " ".join(parts)
