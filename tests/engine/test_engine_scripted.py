"""The scripted engine keeps the contract of a backend."""

from __future__ import annotations

import pytest

from homellm_edge.engine.base import Backend, Request, Usage
from homellm_edge.engine.scripted import ScriptedEngine
from homellm_edge.errors import EngineError, TurnCancelledError
from homellm_edge.prompt.blocks import Prompt
from lines import lines


async def ask(engine: Backend, question: str = "?") -> list[str]:
    request = Request(Prompt("header", lines("a line"), (), question))
    return [chunk.decode() async for chunk in engine.generate(request, Usage())]


async def test_outputs_in_order_in_small_chunks() -> None:
    engine = ScriptedEngine(["Grüße 🏠!", b"two"], chunk_size=2)
    assert await ask(engine) == ["Gr", "üß", "e ", "🏠!"]
    assert await ask(engine) == ["tw", "o"]
    with pytest.raises(EngineError, match="no output left"):
        await ask(engine)
    assert len(engine.requests) == 3


async def test_outputs_by_a_function_and_errors() -> None:
    engine = ScriptedEngine(lambda request: request.prompt.question * 2)
    assert "".join(await ask(engine, "ab")) == "abab"
    engine = ScriptedEngine([EngineError("broken"), "fine"], prompt_format="grounded")
    with pytest.raises(EngineError, match="broken"):
        await ask(engine)
    assert await ask(engine) == ["fin", "e"]
    assert engine.prompt_format == "grounded"


async def test_refresh_counts_what_is_new() -> None:
    engine = ScriptedEngine(["x"])
    prompt = Prompt("one two", lines("three four"))
    assert await engine.refresh(prompt) == 4
    assert await engine.refresh(prompt) == 0
    assert engine.refreshed == [prompt, prompt]


async def test_close_ends_what_runs() -> None:
    engine = ScriptedEngine(["a long answer"])
    stream = engine.generate(Request(Prompt("h")), Usage())
    assert await anext(stream) == b"a l"
    await engine.close()
    await engine.close()
    with pytest.raises(TurnCancelledError):
        await anext(stream)
    with pytest.raises(TurnCancelledError):
        await engine.refresh(Prompt("h"))
