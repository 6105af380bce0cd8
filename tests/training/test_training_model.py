"""Sequences in one batch do not see each other, nor the future, nor padding."""

from __future__ import annotations

import random

import pytest
import torch

from training.batches import Encoded, collate
from training.model import PRESETS, Layout, Llama, preset

VOCAB = 96


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(3)
    return Llama(preset("tiny", VOCAB)).eval()


def sequences() -> list[list[int]]:
    rng = random.Random(4)
    made = [[rng.randrange(VOCAB) for _ in range(n)] for n in (3, 1, 17, 9, 9, 30, 2)]
    return sorted(made, key=len)


@pytest.mark.parametrize("groups", [1, 3, 50])
def test_packed_equals_alone(model, groups) -> None:
    parts = sequences()
    flat = torch.tensor([i for part in parts for i in part])
    layout = Layout.of([len(part) for part in parts], groups=groups)
    with torch.no_grad():
        together = model.logits(model(flat, layout)).split([len(p) for p in parts])
        for part, scores in zip(parts, together, strict=True):
            ids = torch.tensor(part)
            alone = model.logits(model(ids, Layout.of([len(ids)])))
            torch.testing.assert_close(scores, alone, atol=1e-5, rtol=1e-5)


def test_causal(model) -> None:
    first = torch.arange(20)
    other = torch.cat((first[:12], torch.tensor([50, 51, 52])))
    with torch.no_grad():
        long = model(first, Layout.of([20]))
        short = model(other, Layout.of([15]))
    torch.testing.assert_close(long[:12], short[:12], atol=1e-5, rtol=1e-5)
    assert (long[12:15] - short[12:]).abs().max() > 1e-2


def test_gradients_do_not_leak(model) -> None:
    """The loss of one sequence gives no gradient to tokens of another."""
    layout = Layout.of([4, 4])
    ids = torch.tensor([1, 2, 3, 4, 5, 6, 7, 8])
    scores = model.logits(model(ids, layout))
    loss = scores[:4].logsumexp(-1).sum() - scores[:4, 9].sum()
    (gradient,) = torch.autograd.grad(
        loss - scores[:4].logsumexp(-1).sum(), [model.blocks[0].attn_norm]
    )
    alone = model.logits(model(ids[:4], Layout.of([4])))
    (expected,) = torch.autograd.grad(-alone[:, 9].sum(), [model.blocks[0].attn_norm])
    torch.testing.assert_close(gradient, expected, atol=1e-5, rtol=1e-4)


def test_collate_marks_what_counts() -> None:
    long = Encoded((10, 11, 12, 13, 14, 15), sentence=1, answer=4)
    short = Encoded((20, 21, 22), sentence=1, answer=2)
    batch = collate([long, short], 0.25)
    assert batch.ids.tolist() == [20, 21, 22, 10, 11, 12, 13, 14, 15]
    assert batch.source.tolist() == [0, 1, 3, 4, 5, 6, 7]
    assert batch.target.tolist() == [21, 22, 11, 12, 13, 14, 15]
    assert batch.weight.tolist() == [0.25, 1, 0.25, 0.25, 0.25, 1, 1]
    assert batch.owner.tolist() == [0, 0, 1, 1, 1, 1, 1]
    assert batch.answers == 3
    assert collate([long, short], 0.0).target.tolist() == [22, 14, 15]


@pytest.mark.parametrize("size", sorted(PRESETS))
def test_presets_fit_the_exporter(size) -> None:
    config = preset(size, VOCAB)
    assert config.dim % config.heads == 0
    assert config.heads % config.kv_heads == 0
    assert config.head_dim % 2 == 0
    assert config.dim % 32 == config.ffn % 32 == 0  # rows of Q8_0 blocks
