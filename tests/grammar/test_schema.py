"""The JSON Schema and the GBNF of a home describe the same calls."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import jsonschema
import pytest
from llama_cpp.llama_grammar import json_schema_to_gbnf

from homellm_edge.dialects import ChatMLDialect, Situation
from homellm_edge.grammar import HomeGrammar, home_schema, reply_text
from homellm_edge.grammar.automaton import DEAD, compile_grammar
from homellm_edge.grammar.tokens import Masks, TokenTrie
from homellm_edge.grounding import Grounding
from homellm_edge.home import Home
from homellm_edge.services import ServiceCall
from homellm_edge.stream import Object, StreamParser
from homes import sample_home
from random_homes import random_home

BYTES = TokenTrie([bytes([value]) for value in range(256)])
OPENED = 'Ok.```homeassistant\n{ "service": "'
LETTERS = "aZ09 .,'-/<>[]{}äж漢😀\u00a0\u2028&%"
HOMES = 30


def _resolved(schema: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = root["$defs"][schema["$ref"].removeprefix("#/$defs/")]
    return schema


def _sample(rng: random.Random, schema: dict[str, Any], root: dict[str, Any]) -> Any:
    """A random instance of the parts of JSON Schema that are used here."""
    schema = _resolved(schema, root)
    if "anyOf" in schema:
        return _sample(rng, rng.choice(schema["anyOf"]), root)
    if "enum" in schema:
        return rng.choice(schema["enum"])
    kind = schema["type"]
    if kind == "object":
        return {k: _sample(rng, s, root) for k, s in schema["properties"].items()}
    if kind == "array":
        count = rng.randint(schema.get("minItems", 0), schema.get("maxItems", 3))
        return [_sample(rng, schema["items"], root) for _ in range(count)]
    if kind == "integer":
        low, high = schema["minimum"], schema["maximum"]
        return rng.choice([low, high, rng.randint(low, high)])
    if kind == "number":
        scale = round(1 / schema["multipleOf"])
        low, high = schema["minimum"] * scale, schema["maximum"] * scale
        return rng.randint(low, high) / scale
    if kind == "string":
        return _sample_text(rng, schema.get("pattern"))
    return {"boolean": rng.random() < 0.5, "null": None}[kind]


def _sample_text(rng: random.Random, pattern: str | None) -> str:
    if pattern is not None and pattern.startswith("^([01]"):
        at = rng.randrange(86400)
        return f"{at // 3600:02}:{at // 60 % 60:02}:{at % 60:02}"
    most = 1
    if pattern is not None and "{" in pattern:
        most += int(pattern.rpartition(",")[2].partition("}")[0])
    length = rng.choice([1, most, rng.randint(1, most)])
    return "é" + "".join(rng.choice(LETTERS) for _ in range(length - 1))


def _valid(value: Any, schema: dict[str, Any], root: dict[str, Any]) -> bool:
    """Judged by the jsonschema package, with decimal fractions as such."""
    exact = json.loads(json.dumps(value), parse_float=Decimal)
    rules = json.loads(json.dumps({**schema, "$defs": root.get("$defs", {})}),
                       parse_float=Decimal)  # fmt: skip
    return bool(jsonschema.Draft202012Validator(rules).is_valid(exact))


def _homes(seed: int) -> Iterator[tuple[random.Random, Home]]:
    yield random.Random(seed), sample_home()
    for number in range(HOMES):
        rng = random.Random(f"{seed} {number}")
        yield rng, random_home(rng, 60)


def test_what_the_schema_takes_the_grammar_takes() -> None:
    builder, dialect, calls = HomeGrammar(), ChatMLDialect(), 0
    for rng, home in _homes(1):
        schema = home_schema(home)
        automaton = compile_grammar(builder.text(home))
        situation = Situation(home, "x", Grounding("x"))
        for _ in range(12):
            reply = _sample(rng, schema, schema)
            assert _valid(reply, schema, schema)
            text = reply_text({**reply, "speech": reply["speech"] + "\x00`."})
            assert automaton.match(text.encode()), text
            for call in reply["calls"]:
                for step in dialect.steps(situation, call):
                    assert isinstance(step, ServiceCall)
                    calls += 1
    assert calls > 10 * HOMES


def test_what_the_grammar_takes_the_schema_takes() -> None:
    builder, calls = HomeGrammar(), 0
    for rng, home in _homes(2):
        schema = home_schema(home)
        automaton = compile_grammar(builder.text(home))
        masks = Masks(automaton, BYTES)
        opened = automaton.feed(automaton.start, OPENED.encode())
        for _ in range(4 if opened != DEAD else 0):
            state, text = opened, bytearray(OPENED.encode())
            while not automaton.accepting(state):
                mask = int.from_bytes(masks.mask(state), "little")
                byte = rng.choice([b for b in range(256) if mask >> b & 1])
                text.append(byte)
                state = automaton.step(state, byte)
                if byte == ord("\n"):  # one call is enough
                    break
            for event in StreamParser().feed(bytes(text) + b"\n"):
                if isinstance(event, Object):
                    calls += 1
                    _check_described(dict(event.data), schema)
    assert calls > HOMES


def _check_described(call: dict[str, Any], schema: dict[str, Any]) -> None:
    """That a form of the schema has this call, with null for what it leaves out."""
    forms = [
        form
        for form in schema["$defs"]["call"]["anyOf"]
        if call.keys() <= form["properties"].keys()
        and call["service"] in form["properties"]["service"]["enum"]
    ]
    assert any(
        _valid({**dict.fromkeys(form["properties"]), **call}, form, schema)
        for form in forms
    ), call


def test_what_is_outside_is_not_valid() -> None:
    schema = home_schema(sample_home())
    form = {"$ref": "#/$defs/call"}

    def valid(**call: object) -> bool:
        return _valid(call, form, schema)

    light: dict[str, Any] = {"service": "light.turn_on", "brightness": 5}
    light["rgb_color"] = None
    assert valid(**light, target_device="light.kitchen")
    assert valid(**light, target_area="kitchen")
    assert not valid(**light, target_area="garage")
    assert not valid(**light, target_device="lock.front_door")
    assert not valid(**light, target_device=[])
    assert not valid(**{**light, "brightness": 101}, target_device="light.kitchen")
    assert valid(service="lock.unlock", target_device="lock.front_door")
    assert not valid(service="lock.unlock", target_device=["lock.front_door"])
    assert not valid(service="lock.unlock", target_area="living_room")


def test_policy_holds_in_the_schema() -> None:
    careful = home_schema(sample_home(), lambda entity, service: not service.explicit)
    assert "lock.unlock" not in json.dumps(careful)
    assert "lock.lock" in json.dumps(careful)


@pytest.mark.parametrize("home", [sample_home(), Home()], ids=["sample", "empty"])
def test_strict_mode_and_llama_cpp_take_the_schema(home: Home) -> None:
    schema = home_schema(home)
    jsonschema.Draft202012Validator.check_schema(schema)
    for part in _parts(schema):
        if part.get("type") == "object":
            assert part["additionalProperties"] is False
            assert part["required"] == list(part["properties"])
        assert not part.keys() & {"oneOf", "allOf", "not", "if", "patternProperties"}
    automaton = compile_grammar(json_schema_to_gbnf(json.dumps(schema)))
    rng = random.Random(1)
    for _ in range(30):
        reply = {**_sample(rng, schema, schema), "speech": "Ok."}
        if any(len(c.get("target_device") or "") == 0 for c in reply["calls"]):
            reply["calls"] = []
        assert automaton.match(json.dumps(reply, ensure_ascii=False).encode()), reply


def _parts(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
        for key, value in schema.items():
            if key not in ("enum", "required"):
                yield from _parts(value)
    elif isinstance(schema, list):
        for item in schema:
            yield from _parts(item)
