"""The seed's prompt: ChatML, with services and devices in the system text.

The device lines are blocks of their own, so that a session can replace one of them.
Text that comes from the home or from a person cannot write control tokens.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeGuard

from ..engine.base import Prompt
from ..home import Entity, Home
from ..services import services_for

START, END = "<|im_start|>", "<|im_end|>"
DEFAULT_PERSONA = (
    "You are 'Al', a helpful AI Assistant that controls the devices in a house. "
    "Complete the following task as instructed with the information provided only."
)


def chatml_prompt(
    home: Home,
    sentence: str,
    *,
    persona: str = DEFAULT_PERSONA,
    history: Sequence[tuple[str, str]] = (),
    context: str = "",
) -> Prompt:
    """Prompt for a model of the seed's kind.

    `history` holds (sentence, reply) pairs, oldest first. `context` (clock, area of the
    speaker) goes before the sentence, behind everything that stays in the KV cache.
    """
    services = sorted({s.name for e in home.entities for s in services_for(e)})
    header = f"{START}system\n{persona}\nServices: {', '.join(services)}\nDevices:\n"
    turns = "".join(
        f"{START}user\n{plain(q)}{END}\n{START}assistant\n{plain(a)}{END}\n"
        for q, a in history
    )
    note = f"{plain(context)}\n" if context else ""
    return Prompt(
        header=header,
        blocks=tuple(device_line(e) for e in home.entities),
        question=(
            f"{END}\n{turns}{START}user\n{note}{plain(sentence)}{END}\n"
            f"{START}assistant\n"
        ),
    )


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
