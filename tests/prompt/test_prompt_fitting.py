"""Devices by relevance, then the newest turns; groups where sequences run out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homellm_edge.errors import ContextFullError
from homellm_edge.prompt.blocks import Block, Prompt, Turn, grouped
from homellm_edge.prompt.fitting import LEAST_ANSWER, fit, reserve

SIZES = st.lists(st.integers(0, 60), max_size=40)


def count(text: str) -> int:
    return len(text)


def prompt(sizes: list[int], turns: list[int] = [], **more: object) -> Prompt:  # noqa: B006
    return Prompt(
        "",
        tuple(Block(f"b{n}", "x" * size, rank=n % 3) for n, size in enumerate(sizes)),
        tuple(Turn("q" * size, "a" * size) for size in turns),
        **more,  # type: ignore[arg-type]
    )


@given(
    sizes=SIZES,
    turns=st.lists(st.integers(1, 50), max_size=8),
    n_ctx=st.integers(120, 2000),
    header=st.integers(0, 80),
    question=st.integers(0, 15),
    slack=st.sampled_from([0.0, 0.2]),
)
def test_what_is_fitted_fits(
    sizes: list[int], turns: list[int], n_ctx: int, header: int, question: int,
    slack: float,
) -> None:  # fmt: skip
    whole = prompt(sizes, turns)
    fitted = fit(whole, n_ctx, count, header=header, question=question, slack=slack)
    kept = fitted.prompt
    assert fitted.size == header + sum(
        len(text) for text in (*(b.text for b in kept.blocks), *sum(kept.turns, ()))
    )
    assert fitted.size + question + LEAST_ANSWER <= n_ctx
    assert [b for b in whole.blocks if b.key not in fitted.left_out] == [*kept.blocks]
    assert whole.turns[fitted.turns_left_out :] == kept.turns
    if header + sum(sizes) <= (n_ctx - reserve(n_ctx)) * (1 - slack):
        assert not fitted.left_out


@given(sizes=SIZES, question=st.integers(0, 15))
def test_the_question_does_not_change_which_devices_are_in(
    sizes: list[int], question: int
) -> None:
    alone = fit(prompt(sizes), 300, count, header=20)
    asked = fit(prompt(sizes), 300, count, header=20, question=question)
    assert alone.left_out == asked.left_out


def test_what_is_wanted_comes_first_then_what_is_there_then_rank() -> None:
    blocks = prompt([40] * 10, wanted=frozenset({"b8"}))
    fitted = fit(blocks, 300, count, header=0, present={"b5"})
    assert [b.key for b in fitted.prompt.blocks] == ["b0", "b3", "b5", "b6", "b8"]


def test_a_header_that_is_too_large_names_both_sizes() -> None:
    with pytest.raises(ContextFullError, match=r"needs 516 tokens, the context has 99"):
        fit(prompt([]), 99, count, header=500)


@given(
    groups=st.lists(st.sampled_from(["a", "b", "c", "", "d"]), max_size=60),
    most=st.integers(1, 30),
)
def test_groups_hold_all_texts_in_no_more_blocks(groups: list[str], most: int) -> None:
    blocks = [Block(f"k{n}", f"t{n} ", group) for n, group in enumerate(groups)]
    merged = grouped(blocks, most)
    assert len(merged) <= most
    assert sorted("".join(b.text for b in merged).split()) == sorted(
        b.text.strip() for b in blocks
    )
    if len(blocks) <= most:
        assert merged == tuple(blocks)
    elif len(set(groups)) * 2 <= most:
        for block in merged:  # an area stays together
            assert {blocks[int(k[1:])].group for k in block.key.split()} == {
                block.group
            }
