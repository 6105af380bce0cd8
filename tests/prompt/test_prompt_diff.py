"""The compiled diff of two block sets, against what its definition says."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homellm_edge._prompt_diff import diff

SETS = st.lists(
    st.tuples(st.sampled_from("abcdefgh"), st.sampled_from(["on", "off", "80 %"])),
    max_size=8,
)


def split(blocks: list[tuple[str, str]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return tuple(k for k, _ in blocks), tuple(t for _, t in blocks)


@given(before=SETS, after=SETS)
def test_every_place_is_in_one_list(
    before: list[tuple[str, str]], after: list[tuple[str, str]]
) -> None:
    found = diff(*split(before), *split(after))
    pairs = found.kept + found.renamed + found.changed
    assert sorted([i for i, _ in pairs] + found.removed) == list(range(len(before)))
    assert sorted([j for _, j in pairs] + found.added) == list(range(len(after)))
    for i, j in found.kept:
        assert before[i] == after[j]
    for i, j in found.renamed:
        assert before[i][1] == after[j][1]
    for i, j in found.changed:
        assert before[i][0] == after[j][0]
        assert before[i][1] != after[j][1]


@given(before=SETS, after=SETS)
def test_no_text_that_is_there_is_evaluated_again(
    before: list[tuple[str, str]], after: list[tuple[str, str]]
) -> None:
    found = diff(*split(before), *split(after))
    new = [after[j][1] for _, j in found.changed] + [after[j][1] for j in found.added]
    # as many of a text are new as there are more of it than before
    more = Counter(t for _, t in after) - Counter(t for _, t in before)
    assert Counter(new) == more


@given(blocks=SETS, order=st.randoms())
def test_order_alone_changes_nothing(
    blocks: list[tuple[str, str]], order: object
) -> None:
    blocks = [(f"{key}{n}", text) for n, (key, text) in enumerate(blocks)]
    other = list(blocks)
    order.shuffle(other)
    found = diff(*split(blocks), *split(other))
    assert found.empty
    assert len(found.kept) == len(blocks)
    assert found.reordered == (other != blocks)


def test_a_rename_is_seen() -> None:
    found = diff(("a", "b"), ("A on", "B on"), ("a", "c"), ("A on", "B on"))
    assert (found.kept, found.renamed) == ([(0, 0)], [(1, 1)])
    assert not found.reordered


def test_keys_without_texts_are_refused() -> None:
    with pytest.raises(ValueError, match="every key"):
        diff(("a",), (), (), ())
    with pytest.raises(TypeError):
        diff(["a"], ("a",), (), ())  # type: ignore[arg-type]
