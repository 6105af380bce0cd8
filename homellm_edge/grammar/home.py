"""Live home -> GBNF: speech, then at most the calls that this home offers.

The output form is the seed's: a fenced block with one JSON object a line. An entity,
service or argument value that is not in the home has no derivation.
"""

from __future__ import annotations

from collections.abc import Callable

from ..home import Entity, Home
from ..services import Argument, Service, services_for
from . import gbnf

Allow = Callable[[Entity, Service], bool]
"""Policy: whether the model may write this call at all."""

_SPEECH = r"[^`\x00-\x08\x0B-\x1F\x7F]+"
"""What can be spoken: no backtick, which opens a block, and no control character."""

_RGB = '"[" byte ", " byte ", " byte "]"'


def home_grammar(home: Home, allow: Allow | None = None) -> str:
    """GBNF whose root matches a reply of the home; 60 entities take about 2 ms."""
    groups: dict[tuple[Service, ...], list[str]] = {}
    for entity in home.entities:
        offered = tuple(
            s for s in services_for(entity) if allow is None or allow(entity, s)
        )
        if offered:
            groups.setdefault(offered, []).append(entity.entity_id)
    lines: list[str] = []
    bodies: list[str] = []
    values: dict[str, str] = {}  # expression -> rule, shared by all services
    for number, (offered, entity_ids) in enumerate(groups.items(), 1):
        ids = gbnf.any_of(gbnf.literal(i) for i in entity_ids)
        lines.append(f"device-{number} ::= {ids}")
        for service in offered:
            rule = f"call-{number}-{service.name.replace('.', '-').replace('_', '-')}"
            lines.append(f"{rule} ::= {_call(service, f'device-{number}', values)}")
            bodies.append(rule)
    if not bodies:
        return f"root ::= speech\nspeech ::= {_SPEECH}\n"
    return "\n".join(
        [
            "root ::= speech block?",
            f"speech ::= {_SPEECH}",
            'block ::= "```homeassistant\\n" call ("\\n" call)* "\\n```"',
            f'call ::= "{{ \\"service\\": \\"" ({gbnf.any_of(bodies)}) " }}"',
            *lines,
            *(f"{rule} ::= {expression}" for expression, rule in values.items()),
            f"byte ::= {gbnf.number(0, 255)}",
            "",
        ]
    )


def _call(service: Service, device: str, values: dict[str, str]) -> str:
    head = gbnf.literal(f'{service.name}", "target_device": "')
    parts = [head, device, '"\\""']
    for argument in service.arguments:
        name = argument.spoken_as or argument.name
        key = gbnf.literal(f', "{name}": ')
        expression = _value(argument)
        rule = values.setdefault(expression, f"value-{len(values) + 1}")
        value = f"{key} {rule}"
        parts.append(value if argument.required else f"({value})?")
    return " ".join(parts)


def _value(argument: Argument) -> str:
    if argument.kind == "rgb":
        return _RGB
    if argument.kind == "boolean":
        return '"true" | "false"'
    if argument.kind == "choice":
        return gbnf.any_of(gbnf.json_text(c) for c in argument.choices)
    return gbnf.number(argument.minimum, argument.maximum, argument.step)
