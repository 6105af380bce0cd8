"""What a session leaves in the KV cache equals evaluating the prompt from nothing."""

from __future__ import annotations

import contextlib
import threading
from array import array
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gguf_factory import write_mamba
from homellm_edge.engine.base import Prompt
from homellm_edge.engine.llama import LlamaEngine
from homellm_edge.errors import ContextFullError, EngineError, TurnCancelledError
from homellm_edge.kv.session import Session
from oracle import Oracle

LINES = st.lists(
    st.builds(
        "\n- light.{} 'Kitchen {}' = {}".format,
        st.sampled_from(["kitchen", "office", "hall", "bath"]),
        st.integers(0, 3),
        st.sampled_from(["on", "off", "on;80%"]),
    ),
    max_size=8,
).map(tuple)
PROMPTS = st.builds(
    Prompt,
    header=st.sampled_from(["<|im_start|>system\nYou are a home.", "Other persona."]),
    blocks=LINES,
    question=st.text("abc é<|im_end|>\n", min_size=1, max_size=30),
)
REUSING = settings(
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def parts(engine: LlamaEngine) -> tuple[Session, Callable[[Prompt], list[int]]]:
    """A fresh session on the engine's decoder, and how it tokenizes a prompt."""
    native = engine._native
    session = Session(native.decoder, native.tokenize)
    session.forget()

    def tokens(prompt: Prompt) -> list[int]:
        out: list[int] = []
        for text in (prompt.header, *prompt.blocks, prompt.question):
            out.extend(native.tokenize(text, not out))
        return out

    return session, tokens


@REUSING
@given(
    steps=st.lists(
        st.tuples(PROMPTS, st.sampled_from(["refresh", "ask", "turn"])),
        min_size=1,
        max_size=8,
    )
)
async def test_any_history_gives_the_logits_of_a_fresh_evaluation(
    engine: LlamaEngine, oracle: Oracle, steps: list[tuple[Prompt, str]]
) -> None:
    session, tokens = parts(engine)
    decoder = engine._native.decoder
    for prompt, what in steps:
        if what == "refresh":
            session.refresh(prompt)
            continue
        asked = session.ask(prompt)
        assert asked.evaluated + asked.reused == len(tokens(prompt))
        assert asked.evaluated >= 1
        fresh = oracle.logits(tokens(prompt))
        assert np.abs(np.array(decoder.logits()) - fresh).max() < 1e-4
        if what == "turn":
            session.extend(array("i", [int(fresh.argmax())]))
            session.settle(prompt)
            assert session.length == len(tokens(prompt)) - len(
                engine._native.tokenize(prompt.question, False)
            )


@REUSING
@given(first=PROMPTS, second=PROMPTS)
async def test_only_what_differs_is_evaluated(
    engine: LlamaEngine, first: Prompt, second: Prompt
) -> None:
    session, tokens = parts(engine)
    session.ask(first)
    asked = session.ask(second)
    before, after = tokens(first), tokens(second)
    same = 0
    while same < min(len(before), len(after)) and before[same] == after[same]:
        same += 1
    assert asked.reused == min(same, len(after) - 1)
    assert session.refresh(second).evaluated == 0


@REUSING
@given(prompts=st.lists(PROMPTS, min_size=2, max_size=4))
async def test_a_recurrent_model_is_exact_too(
    load: Callable[..., LlamaEngine],
    mamba_model: Path,
    mamba_oracle: Oracle,
    prompts: list[Prompt],
) -> None:
    engine = load(mamba_model, n_ctx=1024)
    session, tokens = parts(engine)
    for prompt in prompts:
        session.ask(prompt)
        fresh = mamba_oracle.logits(tokens(prompt))
        got = np.array(engine._native.decoder.logits())
        assert np.abs(got - fresh).max() < 1e-3
        session.settle(prompt)
    await engine.close()


async def test_a_recurrent_model_reuses_what_only_grows(
    load: Callable[..., LlamaEngine], mamba_model: Path
) -> None:
    session, _ = parts(load(mamba_model, n_ctx=1024))
    first = session.refresh(Prompt("Header.", ("\n- a on",)))
    grown = session.refresh(Prompt("Header.", ("\n- a on", "\n- b on")))
    assert first.evaluated == grown.reused
    changed = session.refresh(Prompt("Header.", ("\n- a off", "\n- b on")))
    assert changed.reused == 0


async def test_a_recurrent_model_recovers_from_an_aborted_decode(
    tmp_path: Path, load: Callable[..., LlamaEngine]
) -> None:
    path = write_mamba(tmp_path / "slow.gguf", layers=6, width=128)
    oracle = Oracle(path, n_ctx=2048)
    session, tokens = parts(load(path, n_ctx=2048))
    decoder = session._decoder
    prompt = Prompt("Header.", tuple(f"\n- light {n} on" for n in range(100)), "Q")
    for delay in (0.003, 0.01, 0.02, 0.04):
        session.refresh(Prompt("Header.", prompt.blocks[:10]))
        timer = threading.Timer(delay, decoder.cancel)
        timer.start()
        with contextlib.suppress(TurnCancelledError):
            session.ask(prompt)
        timer.join()
        decoder.resume()
        session.ask(prompt)
        fresh = oracle.logits(tokens(prompt))
        assert np.abs(np.array(decoder.logits()) - fresh).max() < 1e-3
        session.forget()
    oracle.close()


async def test_cancelled_evaluation_keeps_an_exact_prefix(
    engine: LlamaEngine, oracle: Oracle
) -> None:
    native = engine._native
    decoder = _CancelAfter(native.decoder, 3)
    session = Session(decoder, native.tokenize)
    session.forget()
    prompt = Prompt("Header.", tuple(f"\n- light {n} on" for n in range(100)), "Q")
    with pytest.raises(TurnCancelledError):
        session.refresh(prompt)
    assert 0 < session.length < 1024
    assert native.decoder.last_position(0) == session.length - 1
    decoder.calls_left = -1
    native.decoder.resume()
    done = session.length
    asked = session.ask(prompt)
    assert asked.reused == done
    _, tokens = parts(engine)
    session.ask(prompt)
    fresh = oracle.logits(tokens(prompt))
    session.forget()
    session.ask(prompt)
    assert np.abs(np.array(native.decoder.logits()) - fresh).max() < 1e-4


async def test_too_long_prompt_says_how_much_is_needed(engine: LlamaEngine) -> None:
    session, _ = parts(engine)
    prompt = Prompt("x" * 2000)
    for call in (session.refresh, session.ask):
        with pytest.raises(ContextFullError, match=r"needs 200[01] tokens.* has 1024"):
            call(prompt)
    assert session.ask(Prompt("a b c")).evaluated == 5


async def test_empty_prompt_is_an_error(engine: LlamaEngine) -> None:
    session, _ = parts(engine)
    with pytest.raises(EngineError, match="empty"):
        session.ask(Prompt(""))


class _CancelAfter:
    """A decoder in small steps that is cancelled after some of them."""

    def __init__(self, decoder: object, calls: int) -> None:
        self._decoder = decoder
        self.calls_left = calls

    def __getattr__(self, name: str) -> object:
        return getattr(self._decoder, name)

    def prefill(
        self, tokens: array, position: int, sequence: int = 0, want_logits: bool = False
    ) -> tuple[int, int]:
        done = 0
        while done < len(tokens):
            if self.calls_left == 0:
                self._decoder.cancel()
            self.calls_left -= 1
            part = tokens[done : done + 50]
            last = done + len(part) == len(tokens)
            now, rc = self._decoder.prefill(
                part, position + done, sequence, want_logits and last
            )
            done += now
            if rc:
                return done, rc
        return done, 0
