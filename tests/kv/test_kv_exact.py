"""After any edits the cache gives what an evaluation from nothing gives.

`HOMELLM_EDGE_KV_SEEDS` and `HOMELLM_EDGE_KV_EDITS` set how many edits are tried.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from edits import Home
from homellm_edge.engine.llama import LlamaEngine
from homellm_edge.kv.causal import CausalPlan
from homellm_edge.prompt.blocks import Block, Prompt
from oracle import Oracle
from reference import Reference
from sessions import answer, asked, tokens_of

SEEDS = int(os.environ.get("HOMELLM_EDGE_KV_SEEDS", "20"))
EDITS = int(os.environ.get("HOMELLM_EDGE_KV_EDITS", "200"))
CLOSE = 1e-4
"""Bound on the difference of two logits."""

Load = Callable[..., LlamaEngine]


@pytest.fixture(scope="module")
def oracle(tiny_model: Path) -> Iterator[Oracle]:
    """Llama.cpp alone, with room for a whole home."""
    oracle = Oracle(tiny_model, n_ctx=1536)
    yield oracle
    oracle.close()


@pytest.fixture(scope="session")
def reference(tiny_model: Path) -> Reference:
    return Reference(tiny_model)


def plain(engine: LlamaEngine, prompt: Prompt) -> Prompt:
    """The text that the causal plan has in the cache, as a prompt of one part."""
    plan = engine._native.session.plan
    assert isinstance(plan, CausalPlan)
    # in parts as the plan has them: each is tokenized alone
    parts = [Block(str(n), text) for n, text in enumerate(plan._texts())]
    return Prompt(prompt.header, tuple(parts), (), prompt.question)


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_block_after_random_edits(load: Load, seed: int) -> None:
    engine, fresh = (load(n_ctx=2048, kv_plan="block") for _ in range(2))
    home = Home(seed, 25)
    for number in range(EDITS):
        home.edit()
        if number % 40 == 25:
            home.say()
        if number % 80 == 79:
            home.turns.clear()
        engine._native.session.refresh(home.prompt())
        if number % 10 == 9:
            prompt = home.prompt()
            fresh._native.session.forget()
            assert np.abs(asked(engine, prompt) - asked(fresh, prompt)).max() < CLOSE
            engine._native.session.settle()
            assert answer(engine, prompt) == answer(fresh, prompt)


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_causal_after_random_edits(load: Load, oracle: Oracle, seed: int) -> None:
    engine = load(n_ctx=1536, kv_plan="causal")
    session = engine._native.session
    home = Home(seed, 12)
    rebases = 0
    for number in range(EDITS):
        home.edit()
        if number % 40 == 25:
            home.say()
        if number % 80 == 79:
            home.turns.clear()
        session.refresh(home.prompt())
        before = session.plan._base
        if number % 20 == 12:  # enough time for a new snapshot
            while session.plan.idle() == 0:
                pass
        elif number % 3 == 0:  # or for a part of it
            session.plan.idle()
        rebases += session.plan._base is not before
        assert not session.cut.blocks
        if number % 20 == 9:
            prompt = home.prompt()
            got = asked(engine, prompt)
            text = plain(engine, prompt)
            expected = oracle.logits(tokens_of(engine, text))
            assert np.abs(got - expected).max() < CLOSE
            session.settle()
            assert told(session.plan) == {b.key: b.text for b in home.blocks}
        if number % 100 == 89:
            expected_tokens = oracle.greedy(tokens_of(engine, text), 4)
            assert answer(engine, prompt, 4) == expected_tokens
    if EDITS >= 200:
        assert rebases


def told(plan: CausalPlan) -> dict[str, str]:
    """What the last word of the text on each key is."""
    return {key: block.text for key, block in plan._view().items()}


@pytest.mark.parametrize("seed", range(5))
async def test_block_is_the_attention_that_was_defined(
    load: Load, reference: Reference, seed: int
) -> None:
    engine = load(n_ctx=2048, kv_plan="block")
    tokenize = engine._native.tokenize
    home = Home(seed, 12)
    for number in range(30):
        home.edit()
        if number % 10 == 5:
            home.say()
        engine._native.session.refresh(home.prompt())
        if number % 10 != 9:
            continue
        prompt = home.prompt()
        expected = reference.logits(
            tokenize(prompt.header, True).tolist(),
            [tokenize(block.text, False).tolist() for block in prompt.blocks],
            [t for turn in prompt.turns for s in turn for t in tokenize(s, False)],
            tokenize(prompt.question, False).tolist(),
        )
        assert np.abs(asked(engine, prompt) - expected).max() < CLOSE
        # a mistake in the mask would show: one state alone moves the logits by more
        home.change()
        moved = np.abs(asked(engine, home.prompt()) - expected).max()
        assert moved > 10 * CLOSE


async def test_the_order_of_the_lines_means_nothing(load: Load) -> None:
    engine, other = (load(n_ctx=2048, kv_plan="block") for _ in range(2))
    home = Home(3, 30)
    first = asked(engine, home.prompt())
    for _ in range(5):
        home.reorder()
        other._native.session.forget()
        assert np.abs(asked(other, home.prompt()) - first).max() < CLOSE
        assert engine._native.session.refresh(home.prompt()).evaluated == 0


@pytest.mark.parametrize("plan", ["block", "causal", "prefix"])
async def test_a_turn_leaves_nothing_that_the_next_question_sees(
    load: Load, plan: str
) -> None:
    engine = load(n_ctx=2048, kv_plan=plan)
    home = Home(5, 20)
    first = asked(engine, home.prompt("<|im_start|>user\nfirst"))
    engine._native.session.settle()
    answer(engine, home.prompt("<|im_start|>user\nanother thing altogether"))
    again = asked(engine, home.prompt("<|im_start|>user\nfirst"))
    assert np.abs(first - again).max() < CLOSE
