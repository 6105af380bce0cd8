"""Live home -> JSON Schema of a reply, for servers that take no GBNF.

It describes the calls of `HomeGrammar` and no others, in the part of JSON Schema that
these three take: OpenAI's `response_format` of type `json_schema` with `strict` (the
root is an object, every property is required and no other is allowed, what is optional
may be null, alternatives are `anyOf`), Ollama's `format` and llama.cpp's
`json_schema`. Numbers off the whole ones stand in an `enum`, since the last two do
not look at `minimum`, `maximum` or `multipleOf` of a number; only longer ranges with
decimals rely on these, and `check_call` looks at every call again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..home import Home
from ..services import MAX_TARGETS, Argument, Span
from .offers import Allow, Call, Catalogue, Kind, Names, Offers

_BLANKS = "\\u0085\\u00A0\\u1680\\u2000-\\u200A\\u2028\\u2029\\u202F\\u205F\\u3000"
_NO_TEXT = r'"\\`\x00-\x1F\x7F'
_TIME = "^([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]$"
_NULL = {"type": "null"}

Schema = dict[str, Any]


def home_schema(home: Home, allow: Allow | None = None) -> Schema:
    """The schema of `{"speech": text, "calls": [call, ...]}`; a call is `$defs/call`.

    `reply_text` turns such an object into the text that a grammar would have led to.
    """
    return _Writer(Catalogue(allow).offers(home)).schema()


def reply_text(reply: Mapping[str, Any]) -> str:
    """A reply in the output form of the home grammar.

    Properties that are null are left out; speech loses what cannot be spoken. Raises
    KeyError or TypeError for an object that is not of the schema.
    """
    speech = "".join(c for c in str(reply["speech"]) if _is_spoken(c)) or " "
    calls = [_call_text(call) for call in reply["calls"]]
    if not calls:
        return speech
    return f"{speech}```homeassistant\n" + "\n".join(calls) + "\n```"


def _is_spoken(character: str) -> bool:
    if character in "\t\n":
        return True
    return character not in "`\x7f" and ord(character) >= 32


def _call_text(call: Mapping[str, Any]) -> str:
    pairs = [
        f"{json.dumps(key)}: {_value_text(value)}"
        for key, value in call.items()
        if value is not None
    ]
    return f"{{ {', '.join(pairs)} }}"


def _value_text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.10g}"
    return json.dumps(value, ensure_ascii=False)


class _Writer:
    """Writes the alternatives of a call; what they share stands in `$defs`."""

    def __init__(self, offers: Offers) -> None:
        self._offers = offers
        self._names = Names()
        self._definitions: dict[str, Schema] = {}

    def schema(self) -> Schema:
        calls: Schema = {"type": "array", "maxItems": 0, "items": {"type": "string"}}
        found = [
            s for of in self._offers.calls.values() for c in of for s in self._of(c)
        ]
        if found:
            self._definitions["call"] = {"anyOf": found}
            calls = {"type": "array", "items": {"$ref": "#/$defs/call"}}
        schema = _object({"speech": {"type": "string"}, "calls": calls})
        if self._definitions:
            schema["$defs"] = self._definitions
        return schema

    def _of(self, call: Call) -> Iterator[Schema]:
        for target in self._targets(call):
            for form in call.service.forms:
                properties: dict[str, Schema] = {
                    "service": {"type": "string", "enum": [call.service.name]},
                    **target,
                }
                for argument in form:
                    name = argument.spoken_as or argument.name
                    properties[name] = self._value(argument)
                yield _object(properties)

    def _targets(self, call: Call) -> Iterator[dict[str, Schema]]:
        one = self._device(call.kinds)
        several = {
            "type": "array",
            "items": one,
            "minItems": 1,
            "maxItems": MAX_TARGETS,
        }
        if call.single:
            yield {"target_device": one}
        elif call.lists_only:
            yield {"target_device": several}
        else:
            yield {"target_device": {"anyOf": [one, several]}}
            places = {p for kind in call.kinds for p in self._offers.places[kind]}
            if places:
                yield {"target_area": self._enum("place", sorted(places))}

    def _device(self, kinds: Sequence[Kind]) -> Schema:
        found = [self._devices(kind) for kind in kinds]
        return (
            found[0] if len(found) == 1 else self._define("devices", {"anyOf": found})
        )

    def _devices(self, kind: Kind) -> Schema:
        entity_ids = list(self._offers.devices[kind])
        return self._named(
            f"device-{kind.name}", {"type": "string", "enum": entity_ids}
        )

    def _value(self, argument: Argument) -> Schema:
        if argument.kind == "choice":
            value = self._enum("choice", argument.choices)
        elif argument.kind in ("integer", "number"):
            value = self._define("number", _numbers(argument.numbers))
        else:
            value = self._define(
                argument.kind, _SIMPLE.get(argument.kind) or _text(argument)
            )
        return value if argument.required else {"anyOf": [value, _NULL]}

    def _enum(self, prefix: str, texts: Sequence[str]) -> Schema:
        return self._define(prefix, {"type": "string", "enum": list(texts)})

    def _define(self, prefix: str, schema: Schema) -> Schema:
        return self._named(self._names.of(prefix, json.dumps(schema)), schema)

    def _named(self, name: str, schema: Schema) -> Schema:
        self._definitions[name] = schema
        return {"$ref": f"#/$defs/{name}"}


def _object(properties: dict[str, Schema]) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _numbers(allowed: Sequence[float] | Span) -> Schema:
    if not isinstance(allowed, Span):
        return {"type": "number", "enum": list(allowed)}
    ends = {"minimum": allowed.low, "maximum": allowed.high}
    if not allowed.decimals:
        return {"type": "integer", **ends}
    return {"type": "number", **ends, "multipleOf": 10**-allowed.decimals}


def _text(argument: Argument) -> Schema:
    least, most = int(argument.minimum), int(argument.maximum)
    rest = f"[^{_NO_TEXT}]{{{least - 1},{most - 1}}}" if most > 1 else ""
    return {"type": "string", "pattern": f"^[^{_NO_TEXT} {_BLANKS}]{rest}$"}


_SIMPLE: Mapping[str, Schema] = {
    "boolean": {"type": "boolean"},
    "time": {"type": "string", "pattern": _TIME},
    "rgb": {
        "type": "array",
        "items": {"type": "integer", "minimum": 0, "maximum": 255},
        "minItems": 3,
        "maxItems": 3,
    },
}
