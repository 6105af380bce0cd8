"""A home of many template entities whose states change when their helpers do.

Half of them are lights, a quarter plugs and a quarter meters. Each follows a helper
(input_boolean, input_number) that is not exposed, as a real device follows a switch on
the wall.
"""

import json
import random
from dataclasses import dataclass
from typing import Any

_UNIT = "W"
_KINDS = ("light", "switch", "light", "sensor")


@dataclass(frozen=True, slots=True)
class Thing:
    """One entity and the helper behind it."""

    domain: str
    number: int

    @property
    def word(self) -> str:
        """What it is called without its number."""
        return {"light": "light", "switch": "plug", "sensor": "meter"}[self.domain]

    @property
    def name(self) -> str:
        """What a person calls it."""
        return f"{self.word.title()} {self.number}"

    @property
    def entity_id(self) -> str:
        """Its id, as Home Assistant makes it from the name."""
        return f"{self.domain}.{self.word}_{self.number}"

    @property
    def helper(self) -> str:
        """The id of the entity that it follows."""
        kind = "input_number" if self.domain == "sensor" else "input_boolean"
        return f"{kind}.{self.word}_{self.number}"

    def template(self) -> dict[str, Any]:
        """Its configuration as a template entity."""
        common = {"name": self.name, "unique_id": f"{self.word}_{self.number}"}
        if self.domain == "sensor":
            state = f"{{{{ states('{self.helper}') | int(0) }}}}"
            return {**common, "state": state, "unit_of_measurement": _UNIT}
        target = {"target": {"entity_id": self.helper}}
        return {
            **common,
            "state": f"{{{{ is_state('{self.helper}', 'on') }}}}",
            "turn_on": {"action": "input_boolean.turn_on", **target},
            "turn_off": {"action": "input_boolean.turn_off", **target},
        }

    def change(self, state: str, chance: random.Random) -> tuple[str, str]:
        """Another state than this, and the service that brings it about."""
        if self.domain == "sensor":
            values = [value for value in range(1000) if str(value) != state]
            return str(chance.choice(values)), "set_value"
        return ("off", "turn_off") if state == "on" else ("on", "turn_on")

    def line(self, state: str) -> str:
        """What a chat model has to read of it; written anew here, to be a check."""
        unit = f";{_UNIT}" if self.domain == "sensor" else ""
        return f"{self.entity_id} '{self.name}' = {state}{unit}"


def things(count: int) -> list[Thing]:
    """That many of them."""
    made: list[Thing] = []
    numbers = dict.fromkeys(_KINDS, 0)
    for place in range(count):
        domain = _KINDS[place % len(_KINDS)]
        numbers[domain] += 1
        made.append(Thing(domain, numbers[domain]))
    return made


def configuration(home: list[Thing]) -> str:
    """The part of Home Assistant's configuration that makes them (JSON is YAML)."""
    helpers: dict[str, dict[str, Any]] = {"input_boolean": {}, "input_number": {}}
    templates: dict[str, list[dict[str, Any]]] = {}
    for thing in home:
        kind, _, name = thing.helper.partition(".")
        bounds = {"min": 0, "max": 999, "step": 1} if kind == "input_number" else {}
        helpers[kind][name] = {"name": f"Helper of {thing.name}", **bounds}
        templates.setdefault(thing.domain, []).append(thing.template())
    parts = {
        **helpers,
        "template": [templates],
        "diagnostics": None,
        "repairs": None,
        "homellm_lab": None,
    }
    return "".join(f"{key}: {json.dumps(value)}\n" for key, value in parts.items())
