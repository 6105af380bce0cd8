"""The seed's prompt: ChatML, with services and devices in the system text.

The device lines are blocks of their own, so that a session can replace one of them.
Clock, area of the speaker, earlier turns and sentence come behind them: they are new
each time. Text that comes from the home, from a person or from the model cannot write
control tokens.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeGuard

from ..home import Entity, Home
from ..services import services_for
from .blocks import Block, Prompt, Turn, Updates

START, END = "<|im_start|>", "<|im_end|>"
DEFAULT_PERSONA = (
    "You are 'Al', a helpful AI Assistant that controls the devices in a house. "
    "Complete the following task as instructed with the information provided only."
)


UPDATES = Updates(
    heading="Changes since then, the newest last:\n",
    opening=f"{START}system\nChanges since then, the newest last:\n",
    closing=f"{END}\n",
)

_CONTROL = re.compile(r"<(?=[|/\w])|\[(?=/?[A-Z])")
"""Where a text could begin to spell a control token."""


@dataclass(frozen=True, slots=True)
class PastTurn:
    """An earlier turn: what was asked, in which circumstances, and what was written.

    `context` is what `chatml_prompt` was given for it. `written` is the model's own
    output, byte for byte if its cells are to be found again.
    """

    sentence: str
    written: str
    context: str = ""


class Exchange(NamedTuple):
    """An example: what somebody might ask, and the answer that is right for it."""

    asked: str
    answered: str


class Rendered:
    """Lines and services of entities, kept as long as an entity is the same object.

    A state change makes one new entity; the lines of the others need not be written
    again. Nothing else depends on it: without, the prompt is the same.
    """

    def __init__(self, most: int = 4096) -> None:
        self._most = most
        self._known: dict[str, tuple[Entity, Block, tuple[str, ...]]] = {}

    def of(self, entity: Entity) -> tuple[Block, tuple[str, ...]]:
        """The block of an entity, and the names of its services."""
        known = self._known.get(entity.entity_id)
        if known is not None and known[0] is entity:
            return known[1], known[2]
        block = device_block(entity)
        services = tuple(service.name for service in services_for(entity))
        if len(self._known) >= self._most:
            self._known.clear()
        self._known[entity.entity_id] = (entity, block, services)
        return block, services


def chatml_prompt(
    home: Home,
    sentence: str,
    *,
    persona: str = DEFAULT_PERSONA,
    history: Sequence[PastTurn] = (),
    context: str = "",
    wanted: Iterable[str] = (),
    examples: Iterable[Exchange] = (),
    rendered: Rendered | None = None,
) -> Prompt:
    """Prompt for a model of the seed's kind.

    `history` holds earlier turns, oldest first. `context` (clock, area of the speaker)
    goes before the sentence, behind everything that stays in the KV cache. `wanted` are
    the ids of entities that must not be left out if the context is too small.
    `examples` stand right before the question, so that what is in the KV cache stays.
    `rendered` remembers lines from prompt to prompt.
    """
    rendered = rendered or Rendered()
    lines = [rendered.of(entity) for entity in home.entities]
    services = sorted({name for _, names in lines for name in names})
    header = f"{START}system\n{persona}\nServices: {', '.join(services)}\nDevices:\n"
    close = f"{END}\n"  # of the system text
    turns = []
    for past in history:
        asked = f"{close}{_user(past.sentence, past.context)}"
        turns.append(Turn(asked, f"{_harmless(past.written)}{END}\n"))
        close = ""
    return Prompt(
        header=header,
        blocks=tuple(block for block, _ in lines),
        turns=tuple(turns),
        question=f"{close}{_shown(examples)}{_user(sentence, context)}",
        updates=UPDATES,
        wanted=frozenset(wanted),
    )


def device_block(entity: Entity) -> Block:
    """An entity's line as a block, of the group of its area."""
    return Block(
        key=entity.entity_id,
        text=device_line(entity),
        group=entity.area or "",
        rank=_RANKS.get(entity.domain, 1),
        gone=f"{entity.entity_id} = not there any more\n",
    )


_RANKS = {
    **dict.fromkeys(("light", "switch", "cover", "lock", "climate", "fan"), 0),
    **dict.fromkeys(("media_player", "scene", "script", "vacuum"), 0),
    **dict.fromkeys(("sensor", "button", "event", "update", "number"), 3),
    **dict.fromkeys(("binary_sensor", "device_tracker", "person", "select"), 2),
}
"""What is left out first when not all devices fit; 1 for what is not named here."""


def _shown(examples: Iterable[Exchange]) -> str:
    return "".join(
        f"{_user(asked, '')}{_harmless(answered)}{END}\n"
        for asked, answered in examples
    )


def _user(sentence: str, context: str) -> str:
    note = f"{plain(context)}\n" if context else ""
    return f"{START}user\n{note}{plain(sentence)}{END}\n{START}assistant\n"


def _harmless(written: str) -> str:
    """A model's output as it was, unless it spells a control token."""
    return _CONTROL.sub(lambda found: f"{found.group()} ", written)


def device_line(entity: Entity) -> str:
    """`light.office 'Office Light' = on;80%` and a line end, as the seed writes it."""
    parts = [plain(entity.state), *_attributes(entity.attributes)]
    name = plain(entity.name).replace("'", "")
    return f"{entity.entity_id} '{name}' = {';'.join(parts)}\n"


def plain(text: str) -> str:
    """Text on one line in which no control token of any model can hide.

    Control tokens begin with `<` (`<|im_end|>`, `</s>`) or `[` (`[INST]`); a space
    behind these keeps the tokenizer from reading one.
    """
    return " ".join(text.replace("<", "< ").replace("[", "[ ").split())


def _attributes(attributes: Mapping[str, Any]) -> Iterable[str]:
    brightness = attributes.get("brightness")
    if _is_number(brightness):
        yield f"{round(brightness * 100 / 255)}%"
    color = attributes.get("rgb_color")
    if isinstance(color, list | tuple) and len(color) == 3:
        yield f"({', '.join(str(c) for c in color)})"
    for key, name in (("temperature", "set "), ("current_temperature", "")):
        value = attributes.get(key)
        if isinstance(value, int | float):
            yield f"{name}{value:g}"
    position = attributes.get("current_position")
    if isinstance(position, int | float):
        yield f"{position:g}%"
    volume = attributes.get("volume_level")
    if _is_number(volume):
        yield f"vol={round(volume * 100)}"
    for key in ("percentage", "media_title", "fan_mode", "preset_mode"):
        value = attributes.get(key)
        if value not in (None, ""):
            yield plain(str(value)) + ("%" if key == "percentage" else "")
    measured_in = attributes.get("unit_of_measurement")
    if measured_in:
        yield plain(str(measured_in))


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and abs(value) < 1e9  # no NaN either
