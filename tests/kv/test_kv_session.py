"""What a session evaluates, keeps, leaves out and survives, under every plan."""

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

from edits import HEADER, QUESTION, Home
from gguf_factory import write_gemma3, write_mamba
from homellm_edge.engine.llama import LlamaEngine
from homellm_edge.errors import ContextFullError, EngineError, TurnCancelledError
from homellm_edge.kv.base import Memo
from homellm_edge.kv.block import BlockPlan
from homellm_edge.kv.memo import LineMemo
from homellm_edge.kv.prefix import PrefixPlan
from homellm_edge.kv.session import Session
from homellm_edge.prompt.blocks import Block, Prompt, Turn
from lines import lines
from oracle import Oracle
from sessions import asked, tokens_of

Load = Callable[..., LlamaEngine]
CLOSE = 1e-4
STATES = st.builds(
    "\n- light.{} 'Kitchen {}' = {}".format,
    st.sampled_from(["kitchen", "office", "hall", "bath"]),
    st.integers(0, 3),
    st.sampled_from(["on", "off", "on;80%"]),
)
PROMPTS = st.builds(
    Prompt,
    header=st.sampled_from(["<|im_start|>system\nYou are a home.", "Other persona."]),
    blocks=st.lists(STATES, max_size=8, unique=True).map(lambda texts: lines(*texts)),
    question=st.text("abc é<|im_end|>\n", min_size=1, max_size=30),
)
REUSING = settings(
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
PLANS = ["prefix", "causal", "block"]


@REUSING
@given(
    steps=st.lists(
        st.tuples(PROMPTS, st.sampled_from(["refresh", "ask", "turn"])),
        min_size=1,
        max_size=8,
    )
)
async def test_any_history_gives_the_logits_of_a_fresh_evaluation(
    load: Load, oracle: Oracle, steps: list[tuple[Prompt, str]]
) -> None:
    engine = load(n_ctx=1024, kv_plan="prefix")
    session, decoder = engine._native.session, engine._native.decoder
    for prompt, what in steps:
        if what == "refresh":
            session.refresh(prompt)
            continue
        session.prepare(prompt)
        cost = session.ask()
        tokens = tokens_of(engine, prompt)
        assert cost.evaluated + cost.reused == len(tokens)
        assert cost.evaluated >= 1
        fresh = oracle.logits(tokens)
        assert np.abs(np.array(decoder.logits()) - fresh).max() < CLOSE
        if what == "turn":
            session.extend(array("i", [int(fresh.argmax())]))
            session.settle()


@REUSING
@given(first=PROMPTS, second=PROMPTS)
async def test_the_prefix_plan_evaluates_what_differs(
    engine: LlamaEngine, first: Prompt, second: Prompt
) -> None:
    native = engine._native
    plan = PrefixPlan(native.decoder, Memo(native.tokenize))
    session = Session(native.decoder, Memo(native.tokenize), plan)
    session.forget()
    asked(engine, first, session)
    before, after = tokens_of(engine, first), tokens_of(engine, second)
    session.prepare(second)
    cost = session.ask()
    same = 0
    while same < min(len(before), len(after)) and before[same] == after[same]:
        same += 1
    question = len(native.tokenize(second.question, False))
    # the question is found again only behind all of the rest
    found = min(same, len(after) - 1)
    assert cost.reused in (found, min(found, len(after) - question))
    assert session.refresh(second).evaluated == 0


@pytest.mark.parametrize("plan", PLANS)
async def test_after_a_refresh_only_the_question_is_evaluated(
    load: Load, plan: str
) -> None:
    engine = load(n_ctx=2048, kv_plan=plan)
    session = engine._native.session
    home = Home(1, 25)
    for changes in (0, 1, 20):
        home.change(changes)
        session.refresh(home.prompt())
        prompt = home.prompt(f"<|im_start|>user\nand {changes}?")
        session.prepare(prompt)
        cost = session.ask()
        question = len(engine._native.tokenize(prompt.question, False))
        assert cost.evaluated <= question
        assert cost.evaluated >= question - 12  # the start of the last question
        session.settle()


async def test_a_question_during_changes_sees_the_newest(load: Load) -> None:
    engine, fresh = (load(n_ctx=2048, kv_plan="block") for _ in range(2))
    home = Home(2, 25)
    engine._native.session.refresh(home.prompt())
    home.change(5)  # nobody has told the session
    got = asked(engine, home.prompt())
    assert np.abs(got - asked(fresh, home.prompt())).max() < CLOSE


async def test_only_changed_lines_are_evaluated(load: Load) -> None:
    engine = load(n_ctx=2048, kv_plan="block", memo_bytes=0)
    session, tokenize = engine._native.session, engine._native.tokenize
    home = Home(4, 30)
    session.refresh(home.prompt())
    for _ in range(20):
        before = {block.text for block in home.blocks}
        home.edit()
        new = [block.text for block in home.blocks if block.text not in before]
        expected = sum(len(tokenize(text, False)) for text in new)
        assert session.refresh(home.prompt()).evaluated == expected


async def test_a_line_seen_before_is_put_back(load: Load) -> None:
    engine, fresh = (load(n_ctx=2048, kv_plan="block") for _ in range(2))
    session = engine._native.session
    home = Home(4, 30)
    session.refresh(home.prompt())
    before = list(home.blocks)
    home.change(20)
    assert session.refresh(home.prompt()).evaluated > 0
    home.blocks = before
    back = session.refresh(home.prompt())
    assert back.evaluated == 0
    assert back.reused == session.length
    expected = asked(fresh, home.prompt())
    assert np.array_equal(asked(engine, home.prompt()), expected)


async def test_the_memo_stays_in_its_bounds(load: Load) -> None:
    memo = LineMemo(100_000)
    native = load(n_ctx=2048, kv_plan="block")._native
    words = Memo(native.tokenize)
    session = Session(
        native.decoder, words, BlockPlan(native.decoder, words, states=memo)
    )
    home = Home(4, 30)
    sizes = []
    for _ in range(60):
        home.change(3)
        session.refresh(home.prompt())
        sizes.append(memo.memory)
    assert 50_000 < max(sizes) <= 100_000
    assert sizes[-1] == sum(len(state) for _, state in memo.newest_first())
    memo.put(b"large", bytes(200_000))
    assert memo.get(b"large") is None


# conversations


@pytest.mark.parametrize("plan", PLANS)
async def test_a_conversation_keeps_its_turns(load: Load, plan: str) -> None:
    engine = load(n_ctx=2048, kv_plan=plan)
    session, tokenize = engine._native.session, engine._native.tokenize
    home = Home(6, 20)
    evaluated = []
    for number in range(4):
        prompt = home.prompt()
        session.prepare(prompt)
        cost = session.ask()
        session.extend(tokenize("The light is on.", False))
        session.settle()
        close = "" if home.turns else "<|im_end|>\n"
        home.turns.append(Turn(close + QUESTION, "The light is on.<|im_end|>\n"))
        if number:
            assert cost.evaluated <= len(tokenize(prompt.question, False))
        evaluated.append(session.refresh(home.prompt()).evaluated)
    turn = len(tokenize(QUESTION, False)) + len(
        tokenize("The light is on.<|im_end|>\n", False)
    )
    if plan == "block":  # a turn sees no lines: it is read once more, as a turn
        assert max(evaluated) <= turn + 3
    else:  # only what closes the answer is new
        assert max(evaluated) <= 3


async def test_a_changed_state_does_not_cost_the_conversation(load: Load) -> None:
    for plan in ("causal", "block"):
        engine = load(n_ctx=2048, kv_plan=plan)
        session = engine._native.session
        home = Home(6, 20)
        for _ in range(5):
            home.say()
        session.refresh(home.prompt())
        home.change()
        evaluated = session.refresh(home.prompt()).evaluated
        line = max(len(engine.tokenize(b.text)) for b in home.blocks)
        assert evaluated <= line + 20  # and the words around it
        session.prepare(home.prompt())
        assert session.ask().evaluated <= len(engine.tokenize(QUESTION)) + 2


async def test_another_conversation_takes_the_place(load: Load, oracle: Oracle) -> None:
    engine = load(n_ctx=1024, kv_plan="causal")
    home = Home(6, 5)
    home.say()
    home.say()
    asked(engine, home.prompt())
    home.turns = home.turns[:1]
    got = asked(engine, home.prompt())
    expected = oracle.logits(tokens_of(engine, home.prompt()))
    assert np.abs(got - expected).max() < CLOSE


@pytest.mark.parametrize("plan", PLANS)
async def test_the_oldest_turns_go_first_and_no_device_does(
    load: Load, plan: str
) -> None:
    engine = load(n_ctx=768, kv_plan=plan)
    session = engine._native.session
    home = Home(6, 8)
    for number in range(60):
        home.say()
        session.prepare(home.prompt())
        session.ask()
        assert not session.cut.blocks
        assert session.cut.turns <= number
    assert session.cut.turns > 30
    long = home.prompt("y" * 900)
    with pytest.raises(ContextFullError, match=r"needs \d+ tokens.* has 768"):
        session.prepare(long)
    session.prepare(home.prompt())
    assert session.ask().evaluated


# too much


@pytest.mark.parametrize("plan", PLANS)
async def test_devices_that_do_not_fit_are_named(load: Load, plan: str) -> None:
    engine = load(n_ctx=768, kv_plan=plan)
    session = engine._native.session
    home = Home(6, 60)
    session.refresh(home.prompt())
    out = session.cut.blocks
    kept = {block.key for block in home.blocks} - set(out)
    assert len(out) > 20
    assert session.plan.resident == kept
    # what the question is about is never among them
    prompt = home.prompt()
    prompt = Prompt(
        prompt.header,
        prompt.blocks,
        prompt.turns,
        prompt.question,
        prompt.updates,
        frozenset(out[:2]),
    )
    session.prepare(prompt)
    session.ask()
    assert not set(session.cut.blocks) & set(out[:2])
    assert set(out[:2]) <= session.plan.resident


@pytest.mark.parametrize("plan", PLANS)
async def test_a_small_context_goes_on_for_ever(load: Load, plan: str) -> None:
    engine = load(n_ctx=768, kv_plan=plan)
    session = engine._native.session
    home = Home(7, 12)
    for number in range(300):
        home.change(2)
        session.refresh(home.prompt())
        if number % 7 == 0:
            assert session.prepare(home.prompt()) >= 16
            session.ask()
            session.settle()
        assert session.length <= 768


@pytest.mark.parametrize("plan", PLANS)
async def test_too_long_a_header_says_how_much_is_needed(load: Load, plan: str) -> None:
    session = load(n_ctx=1024, kv_plan=plan)._native.session
    prompt = Prompt("x" * 2000, question="?")
    for call in (session.refresh, session.prepare):
        with pytest.raises(ContextFullError, match=r"needs 201\d tokens.* has 1024"):
            call(prompt)
    session.prepare(Prompt("a b", question="c"))
    assert session.ask().evaluated >= 4


async def test_more_lines_than_llama_cpp_has_sequences(load: Load) -> None:
    engine, fresh = (load(n_ctx=9216, kv_plan="block") for _ in range(2))
    session = engine._native.session
    home = Home(8, 250)
    session.refresh(home.prompt())
    assert not session.cut.blocks
    home.change()
    evaluated = session.refresh(home.prompt()).evaluated
    assert 0 < evaluated < 3 * max(len(engine.tokenize(b.text)) for b in home.blocks)
    got = asked(engine, home.prompt())
    assert np.abs(got - asked(fresh, home.prompt())).max() < CLOSE


async def test_an_empty_question_is_an_error(load: Load) -> None:
    session = load(n_ctx=1024)._native.session
    with pytest.raises(EngineError, match="empty"):
        session.prepare(Prompt("Header."))


async def test_lines_without_text_and_twice_the_same(load: Load) -> None:
    blocks = (
        Block("a", "one\n"), Block("b", ""), Block("c", "one\n"), Block("a", "two\n")
    )  # fmt: skip
    for plan in PLANS:
        session = load(n_ctx=1024, kv_plan=plan)._native.session
        for some in (blocks, blocks[:2], blocks):
            session.prepare(Prompt(HEADER, some, question="x"))
            session.ask()
            session.settle()


# memories that cannot be cut, or forget


@pytest.mark.parametrize("plan", ["causal", "prefix"])
async def test_a_recurrent_model_is_exact_too(
    load: Load, mamba_model: Path, mamba_oracle: Oracle, plan: str
) -> None:
    engine = load(mamba_model, n_ctx=1024, kv_plan=plan)
    home = Home(9, 6)
    for number in range(12):
        home.edit()
        if number == 6:
            home.say()
        got = asked(engine, home.prompt())
        held = home.prompt()
        if plan == "causal":
            held = _as_held(engine, held)
        fresh = mamba_oracle.logits(tokens_of(engine, held))
        assert np.abs(got - fresh).max() < 1e-3
        engine._native.session.settle()


async def test_a_recurrent_model_goes_back_to_before_the_question(
    load: Load, mamba_model: Path
) -> None:
    engine = load(mamba_model, n_ctx=1024)
    session = engine._native.session
    assert engine.kv_plan == "causal"
    home = Home(9, 6)
    for number in range(10):
        home.change()
        cost = session.refresh(home.prompt())
        if number:
            assert cost.evaluated < 60
        prompt = home.prompt(f"<|im_start|>user\nwhat is {number}?")
        session.prepare(prompt)
        assert session.ask().evaluated == len(engine.tokenize(prompt.question))
        session.extend(array("i", [5]))
        session.settle()
    with pytest.raises(EngineError, match="recurrent"):
        load(mamba_model, n_ctx=1024, kv_plan="block")


async def test_a_recurrent_model_recovers_from_an_aborted_decode(
    tmp_path: Path, load: Load
) -> None:
    path = write_mamba(tmp_path / "slow.gguf", layers=6, width=128)
    oracle = Oracle(path, n_ctx=2048)
    engine = load(path, n_ctx=2048, kv_plan="prefix")
    session, decoder = engine._native.session, engine._native.decoder
    prompt = Prompt("Header.", lines(*(f"\n- {n} on" for n in range(60))), (), "Q")
    for delay in (0.003, 0.01, 0.02, 0.04):
        session.refresh(Prompt("Header.", prompt.blocks[:10]))
        timer = threading.Timer(delay, decoder.cancel)
        timer.start()
        with contextlib.suppress(TurnCancelledError):
            asked(engine, prompt)
        timer.join()
        decoder.resume()
        fresh = oracle.logits(tokens_of(engine, prompt))
        assert np.abs(asked(engine, prompt) - fresh).max() < 1e-3
        session.forget()
    oracle.close()


@pytest.mark.parametrize("plan", PLANS)
async def test_a_sliding_window_forgets_nothing_that_is_needed(
    tmp_path: Path, load: Load, plan: str
) -> None:
    path = write_gemma3(tmp_path / "window.gguf")
    oracle = Oracle(path, n_ctx=1024)
    engine = load(path, n_ctx=1024, kv_plan=plan)
    fresh = load(path, n_ctx=1024, kv_plan=plan)
    assert engine._native.session.plan is not fresh._native.session.plan
    home = Home(3, 8)
    for number in range(25):
        home.edit()
        engine._native.session.refresh(home.prompt())
        if number % 3:
            continue
        prompt = home.prompt()
        got = asked(engine, prompt)
        engine._native.session.settle()
        if plan == "block":
            fresh._native.session.forget()
            expected = asked(fresh, prompt)
        else:
            held = _as_held(engine, prompt) if plan == "causal" else prompt
            expected = oracle.logits(tokens_of(engine, held))
        assert np.abs(got - expected).max() < 2e-3  # logits here are about 8 wide
    oracle.close()


def _as_held(engine: LlamaEngine, prompt: Prompt) -> Prompt:
    """The causal plan's text, part by part as it was tokenized."""
    texts = engine._native.session.plan._texts()
    parts = tuple(Block(str(n), text) for n, text in enumerate(texts))
    return Prompt(prompt.header, parts, (), prompt.question)


# interruptions


async def test_cancelled_evaluation_keeps_an_exact_prefix(
    load: Load, oracle: Oracle
) -> None:
    engine = load(n_ctx=1024)
    native = engine._native
    decoder = CancelAfter(native.decoder, 3)
    words = Memo(native.tokenize)
    session = Session(decoder, words, PrefixPlan(decoder, words))
    prompt = Prompt("Header.", lines(*(f"\n- {n} on" for n in range(70))), (), "Q")
    with pytest.raises(TurnCancelledError):
        session.refresh(prompt)
    assert 0 < session.length < 1024
    assert native.decoder.last_position(0) == session.length - 1
    decoder.calls_left = -1
    native.decoder.resume()
    done = session.length
    session.prepare(prompt)
    assert session.ask().reused == done
    fresh = oracle.logits(tokens_of(engine, prompt))
    assert np.abs(np.array(native.decoder.logits()) - fresh).max() < CLOSE


async def test_a_cancelled_group_of_lines_leaves_nothing_behind(load: Load) -> None:
    engine, fresh = (load(n_ctx=2048, kv_plan="block") for _ in range(2))
    native = engine._native
    decoder = CancelAfter(native.decoder, 3)
    words = Memo(native.tokenize)
    session = Session(decoder, words, BlockPlan(decoder, words, states=LineMemo()))
    home = Home(2, 60)
    with pytest.raises(TurnCancelledError):
        session.refresh(home.prompt())
    done = session.length
    assert done > len(engine.tokenize(HEADER))
    decoder.calls_left = -1
    native.decoder.resume()
    rest = session.refresh(home.prompt())
    assert rest.reused == done
    got = asked(engine, home.prompt(), session)
    assert np.abs(got - asked(fresh, home.prompt())).max() < CLOSE


class CancelAfter:
    """A decoder in small steps that is cancelled after some of them."""

    def __init__(self, decoder: object, calls: int) -> None:
        self._decoder = decoder
        self.calls_left = calls

    def __getattr__(self, name: str) -> object:
        return getattr(self._decoder, name)

    def _count(self) -> None:
        if self.calls_left == 0:
            self._decoder.cancel()
        self.calls_left -= 1

    def prefill_side_by_side(
        self, tokens: array, lengths: array, position: int, first: int
    ) -> int:
        self._count()
        return self._decoder.prefill_side_by_side(tokens, lengths, position, first)

    def prefill(
        self, tokens: array, position: int, sequence: int = 0, want_logits: bool = False
    ) -> tuple[int, int]:
        done = 0
        while done < len(tokens):
            self._count()
            part = tokens[done : done + 50]
            last = done + len(part) == len(tokens)
            now, rc = self._decoder.prefill(
                part, position + done, sequence, want_logits and last
            )
            done += now
            if rc:
                return done, rc
        return done, 0


# new snapshots of the causal plan


def _settled(session: Session) -> int:
    """Let the session do what can wait; how many times it had something to do."""
    for steps in range(1000):
        if session.plan.idle() != 0:
            return steps
    raise AssertionError("it never ends")


async def test_a_snapshot_puts_restless_lines_last(load: Load) -> None:
    engine = load(n_ctx=2048, kv_plan="causal")
    session = engine._native.session
    home = Home(1, 20)
    session.refresh(home.prompt())
    restless = {home.blocks[2].key, home.blocks[7].key}

    def change() -> int:
        for place, block in enumerate(home.blocks):
            if block.key in restless:
                home.blocks[place] = home._block(block.key, "Name", block.group)
        return session.refresh(home.prompt()).evaluated

    for _ in range(8):
        change()
    first = _settled(session)
    assert {block.key for block in session.plan._base[-2:]} == restless
    # from now on a snapshot shares all but these two lines with the one before
    line = max(len(engine.tokenize(block.text)) for block in home.blocks)
    evaluated = [change() for _ in range(8)]
    assert max(evaluated) <= 5 * line
    assert _settled(session) <= 2 < first
    assert session.length < 22 * line + 100


async def test_a_question_finds_the_old_snapshot_while_the_new_one_grows(
    load: Load, oracle: Oracle
) -> None:
    engine = load(n_ctx=1024, kv_plan="causal")
    session = engine._native.session
    home = Home(1, 9)
    session.refresh(home.prompt())
    grown = 0
    for _ in range(12):
        home.change(2)
        session.refresh(home.prompt())
        grown += session.plan.idle() == 0 and session.plan._shadow is not None
        prompt = home.prompt()
        session.prepare(prompt)
        cost = session.ask()
        assert cost.evaluated <= len(engine.tokenize(prompt.question))
        got = np.array(engine._native.decoder.logits())
        expected = oracle.logits(tokens_of(engine, _as_held(engine, prompt)))
        assert np.abs(got - expected).max() < CLOSE
        session.settle()
    assert grown


@pytest.mark.parametrize("model", ["plain", "recurrent"])
async def test_where_no_second_snapshot_fits_the_old_one_gives_way_in_time(
    load: Load, tiny_model: Path, mamba_model: Path, model: str
) -> None:
    engine = load(mamba_model if model == "recurrent" else tiny_model, n_ctx=768)
    session = engine._native.session
    home = Home(3, 10)
    session.refresh(home.prompt())
    for _ in range(60):
        home.change(2)
        session.refresh(home.prompt())
        _settled(session)
        prompt = home.prompt()
        session.prepare(prompt)
        assert session.ask().evaluated <= len(engine.tokenize(prompt.question))
        session.settle()
