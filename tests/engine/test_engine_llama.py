"""The engine as agents use it: streams, grammars, cancelling, priorities, closing."""

from __future__ import annotations

import asyncio
import logging
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gguf_factory import write_llama
from homellm_edge.engine.base import Backend, Request, Sampling, Usage
from homellm_edge.engine.library import load_library
from homellm_edge.engine.llama import LlamaEngine, default_threads
from homellm_edge.engine.worker import THREAD_NAME
from homellm_edge.errors import (
    ContextFullError,
    EngineError,
    GrammarError,
    ModelError,
    NotEnoughMemoryError,
    TurnCancelledError,
)
from homellm_edge.prompt.blocks import Prompt
from lines import lines

if TYPE_CHECKING:
    from oracle import Oracle

PROMPT = Prompt(
    "<|im_start|>system\nYou are a home.",
    lines("\n- light.kitchen = on", "\n- light.office = off"),
    question="<|im_end|>\n<|im_start|>user\nturn on the light",
)
CALL = (
    'root ::= "{\\"service\\": \\"light." ("turn_on" | "turn_off") '
    '"\\", \\"brightness\\": " [1-9] [0-9]? "}"'
)
CALL_PATTERN = r'\{"service": "light\.turn_(on|off)", "brightness": [1-9][0-9]?\}'
EXAMPLES = settings(
    deadline=None,
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


async def ask(
    engine: Backend, prompt: Prompt = PROMPT, **options: object
) -> tuple[bytes, Usage]:
    usage = Usage()
    request = Request(prompt, **{"max_tokens": 24} | options)
    chunks = [chunk async for chunk in engine.generate(request, usage)]
    assert all(chunks), "no empty chunk"
    return b"".join(chunks), usage


async def has_begun(engine: LlamaEngine) -> None:
    while engine._worker._running is None:  # noqa: ASYNC110 - a thread sets it
        await asyncio.sleep(0.001)


async def test_greedy_output_is_that_of_llama_cpp(
    engine: LlamaEngine, oracle: Oracle
) -> None:
    tokens: list[int] = []
    for text in (PROMPT.header, *(b.text for b in PROMPT.blocks), PROMPT.question):
        tokens.extend(engine.tokenize(text))
    for grammar in (None, CALL):
        output, usage = await ask(engine, grammar=grammar, max_tokens=12)
        expected = oracle.greedy(tokens, 12, grammar)
        pieces = b"".join(engine._native.decoder.piece(token) for token in expected)
        assert pieces.startswith(output)
        assert len(pieces) - len(output) <= 3  # an unfinished character
        assert usage.sampled + usage.forced == len(expected)
        assert usage.evaluated + usage.reused == len(tokens)


@EXAMPLES
@given(seed=st.integers(0, 2**31), temperature=st.sampled_from([0.0, 0.8, 4.0]))
async def test_grammar_holds_for_every_seed(
    engine: LlamaEngine, seed: int, temperature: float
) -> None:
    sampling = Sampling(temperature=temperature, seed=seed, top_k=0)
    output, usage = await ask(engine, grammar=CALL, max_tokens=200, sampling=sampling)
    assert re.fullmatch(CALL_PATTERN, output.decode())
    assert usage.forced + usage.sampled <= len(output)


@EXAMPLES
@given(seed=st.integers(0, 2**31))
async def test_chunks_never_cut_a_character(engine: LlamaEngine, seed: int) -> None:
    usage = Usage()
    request = Request(
        PROMPT,
        grammar='root ::= ("é" | "日" | "🏠" | "a"){20,40}',
        max_tokens=40,
        sampling=Sampling(temperature=2.0, seed=seed),
    )
    text = ""
    async for chunk in engine.generate(request, usage):
        text += chunk.decode()
    assert re.fullmatch("[é日🏠a]{9,40}", text)


async def test_usage_and_reuse(engine: LlamaEngine) -> None:
    _, first = await ask(engine)
    assert first.reused == 0
    assert 0 < first.first_byte_ms <= first.total_ms
    _, second = await ask(engine)
    question = len(engine.tokenize(PROMPT.question))
    assert second.evaluated == question
    assert second.reused == first.evaluated - question
    changed = Prompt(
        PROMPT.header, lines("\n- light.kitchen = on", "\n- light.office = on"), (), "?"
    )
    evaluated = await engine.refresh(changed)
    assert 0 < evaluated < 16
    assert await engine.refresh(changed) == 0
    _, third = await ask(engine, changed)
    assert third.evaluated == 1


@pytest.mark.parametrize("plan", ["prefix", "block"])
async def test_the_same_question_has_the_same_answer_after_others(
    load: Callable[..., LlamaEngine], plan: str
) -> None:
    # under the plan causal it may not: what was there before is told as such
    engine = load(n_ctx=1024, kv_plan=plan)
    first, _ = await ask(engine)
    await ask(engine, Prompt("Something else.", question="Really?"))
    await engine.refresh(Prompt(PROMPT.header, lines("\n- other")))
    again, _ = await ask(engine)
    assert again == first


async def test_max_tokens_and_stop(engine: LlamaEngine) -> None:
    grammar = 'root ::= "one two three four"'
    output, usage = await ask(engine, grammar=grammar, max_tokens=5)
    assert b"one two three four".startswith(output)
    assert usage.sampled + usage.forced == 5
    output, _ = await ask(engine, grammar=grammar, stop=("three", "zero"))
    assert output == b"one two "
    output, usage = await ask(engine, max_tokens=0)
    assert (output, usage.sampled, usage.forced) == (b"", 0, 0)


async def test_generation_ends_when_the_context_is_full(
    load: Callable[..., LlamaEngine],
) -> None:
    engine = load(n_ctx=256)
    prompt = Prompt("a " * 100, question="?")
    size = len(engine.tokenize(prompt.header)) + 1
    output, usage = await ask(
        engine, prompt, grammar="root ::= [a-z]*", max_tokens=9999
    )
    assert usage.sampled + usage.forced <= 256 - size
    assert len(output) <= 3 * (256 - size)
    with pytest.raises(ContextFullError, match="the context has 256"):
        await ask(engine, Prompt("x" * 600, question="?"))
    assert await ask(engine, grammar='root ::= "ok"')


async def test_a_finished_grammar_ends_without_an_end_token(
    tmp_path: Path, load: Callable[..., LlamaEngine]
) -> None:
    path = write_llama(tmp_path / "endless.gguf", special=("<|x|>",), end="<|x|>")
    data = path.read_bytes()
    # an end token id that no vocabulary has: llama.cpp then takes some other token
    key = b"tokenizer.ggml.eos_token_id"
    at = data.index(key) + len(key) + 4
    path.write_bytes(data[:at] + b"\xff\xff\xff\x7f" + data[at + 4 :])
    engine = load(path)
    for temperature in (0.0, 1.0):
        output, _ = await ask(
            engine,
            grammar='root ::= "ab" [c-e]',
            max_tokens=99,
            sampling=Sampling(temperature=temperature),
        )
        assert re.fullmatch(b"ab[c-e]", output)


async def test_a_grammar_that_the_vocabulary_cannot_write(
    tmp_path: Path, load: Callable[..., LlamaEngine]
) -> None:
    engine = load(write_llama(tmp_path / "noz.gguf", without="z"))
    with pytest.raises(EngineError, match="no token"):
        await ask(engine, grammar='root ::= "a" "z"')
    assert (await ask(engine, grammar='root ::= "a" "y"'))[0] == b"ay"


@pytest.mark.parametrize(
    "grammar",
    ["", "root ::= (", 'start ::= "a"', "root ::= " + "(" * 5000, "a" * 2**21],
)
async def test_bad_grammar(engine: LlamaEngine, grammar: str) -> None:
    with pytest.raises(GrammarError):
        await ask(engine, grammar=grammar)
    assert (await ask(engine, grammar='root ::= "ok"'))[0] == b"ok"


async def test_deep_but_legal_nesting(engine: LlamaEngine) -> None:
    grammar = "root ::= " + "(" * 90 + '"ok"' + ")" * 90
    assert (await ask(engine, grammar=grammar))[0] == b"ok"


async def test_a_grammar_can_name_tokens(engine: LlamaEngine) -> None:
    start = engine.tokenize("<|im_start|>")
    grammar = f'root ::= "a" <|im_start|> "b" <[{start[0]}]>'
    output, usage = await ask(engine, grammar=grammar)
    assert output == b"ab"  # control tokens have no text
    assert usage.sampled + usage.forced == 4
    with pytest.raises(GrammarError, match="<nothing>"):
        await ask(engine, grammar="root ::= <nothing>")


async def test_closing_the_iterator_cancels(engine: LlamaEngine) -> None:
    expected, _ = await ask(engine)
    stream = engine.generate(
        Request(PROMPT, grammar="root ::= [a-z]*", max_tokens=5000), Usage()
    )
    assert await anext(stream)
    await stream.aclose()
    again, usage = await ask(engine)
    assert again == expected
    assert usage.reused > 0


async def test_cancelling_the_task_leaves_an_exact_session(
    tmp_path: Path, load: Callable[..., LlamaEngine]
) -> None:
    path = write_llama(tmp_path / "slow.gguf", layers=6, width=256, context=8192)
    engine = load(path, n_ctx=8192)
    short = Prompt("Header.", lines("\n- a"), (), "?")
    expected, _ = await ask(engine, short)
    long = Prompt("Header.", lines(*(f"\n- light {n}" for n in range(600))), (), "?")
    for call in (engine.refresh(long), ask(engine, long)):
        task = asyncio.create_task(call)
        await has_begun(engine)
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await ask(engine, short))[0] == expected


async def test_a_question_does_not_wait_for_a_refresh(
    tmp_path: Path, load: Callable[..., LlamaEngine]
) -> None:
    path = write_llama(tmp_path / "slow.gguf", layers=6, width=256, context=8192)
    engine = load(path, n_ctx=8192)
    home = Prompt("Header.", lines(*(f"\n- light {n}" for n in range(600))))
    size = sum(
        len(engine.tokenize(text))
        for text in (home.header, *(b.text for b in home.blocks))
    )
    order: list[str] = []

    async def refresh() -> int:
        evaluated = await engine.refresh(home)
        order.append("refresh")
        return evaluated

    task = asyncio.create_task(refresh())
    await has_begun(engine)
    await ask(engine, Prompt("Header.", question="?"), max_tokens=2)
    order.append("question")
    evaluated = await task
    assert order == ["question", "refresh"]
    # it went on afterwards, counted what it had done before as well, and left
    # everything in the cache
    assert evaluated >= size - len(engine.tokenize(home.header))
    assert await engine.refresh(home) == 0


async def test_requests_of_several_tasks_are_served_in_order(
    engine: LlamaEngine,
) -> None:
    alone = [
        (await ask(engine, Prompt("Header.", question=f"Question {n}")))[0]
        for n in range(6)
    ]
    together = await asyncio.gather(
        *(ask(engine, Prompt("Header.", question=f"Question {n}")) for n in range(6))
    )
    assert [output for output, _ in together] == alone


async def test_close_ends_everything_and_is_idempotent(
    load: Callable[..., LlamaEngine],
) -> None:
    engine = load()
    running = [
        asyncio.create_task(
            # a grammar that never ends, else a quick answer may be there before close
            ask(engine, grammar="root ::= [a-z] root", max_tokens=2000)
        )
        for _ in range(3)
    ]
    pending = asyncio.create_task(engine.refresh(PROMPT))
    await asyncio.sleep(0)
    await asyncio.gather(engine.close(), engine.close())
    await engine.close()
    for task in (*running, pending):
        with pytest.raises(TurnCancelledError):
            await task
    for call in (ask(engine), engine.refresh(PROMPT)):
        with pytest.raises(TurnCancelledError, match="closed"):
            await call
    assert THREAD_NAME not in {thread.name for thread in threading.enumerate()}


async def test_prompt_format_and_begin_of_sequence(
    tmp_path: Path, load: Callable[..., LlamaEngine]
) -> None:
    path = write_llama(
        tmp_path / "own.gguf", metadata={"homellm.prompt_format": "grounded"}
    )
    engine = load(path)
    assert engine.prompt_format == "grounded"
    assert engine.info.architecture == "llama"
    assert load().prompt_format == "chatml"


async def test_many_engines_one_library(load: Callable[..., LlamaEngine]) -> None:
    first, second = load(), load()
    one, two = await asyncio.gather(ask(first), ask(second))
    assert one[0] == two[0]


def test_defaults(tiny_model: Path) -> None:
    assert default_threads() >= 1
    with pytest.raises(EngineError, match="context of 0"):
        LlamaEngine.load(tiny_model, n_ctx=0, probe=False)
    with pytest.raises(NotEnoughMemoryError, match="smaller context"):
        LlamaEngine.load(tiny_model, n_ctx=2**31, probe=False)


def test_a_model_that_llama_cpp_refuses(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_llama(tmp_path / "odd.gguf", architecture="no-such-thing")
    with (
        caplog.at_level(logging.CRITICAL, "homellm_edge.engine"),
        pytest.raises(ModelError, match="unknown model architecture: 'no-such-thing'"),
    ):
        LlamaEngine.load(path, probe=False)


async def test_llama_cpp_logs_to_logging(
    tiny_model: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "homellm_edge.engine"):
        engine = LlamaEngine.load(tiny_model, probe=False, n_threads=1)
        await engine.close()
    assert any("tiny.gguf" in record.getMessage() for record in caplog.records)
    assert all(record.levelno == logging.DEBUG for record in caplog.records)
    assert capfd.readouterr() == ("", "")
    assert load_library() is load_library()
