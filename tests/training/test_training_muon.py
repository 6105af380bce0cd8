"""Our Muon takes the steps of PyTorch's, whatever it iterates in."""

from __future__ import annotations

import pytest
import torch

from training.muon import Muon, orthogonal

SHAPES = [(24, 40), (40, 24), (16, 16), (48, 8)]
LR, DECAY = 0.02, 0.1


def parameters() -> list[torch.nn.Parameter]:
    generator = torch.Generator().manual_seed(7)
    return [
        torch.nn.Parameter(torch.randn(shape, generator=generator) * 0.1)
        for shape in SHAPES
    ]


def five_steps(ours, optimizer) -> None:
    """Gradients as they come in training: some new, some of the same direction."""
    generator = torch.Generator().manual_seed(8)
    drift = [torch.randn(p.shape, generator=generator) for p in ours]
    for _ in range(5):
        for parameter, same in zip(ours, drift, strict=True):
            noise = torch.randn(parameter.shape, generator=generator)
            parameter.grad = (same + noise) * 1e-3
        optimizer.step()


@pytest.mark.parametrize(
    ("dtype", "noise"), [(torch.bfloat16, 1e-6), (torch.float32, 0.05)]
)
def test_the_same_steps_as_pytorch(dtype, noise) -> None:
    ours, theirs = parameters(), parameters()
    five_steps(ours, Muon(ours, LR, DECAY, dtype))
    five_steps(
        theirs,
        torch.optim.Muon(
            theirs, lr=LR, weight_decay=DECAY, adjust_lr_fn="match_rms_adamw"
        ),
    )
    for start, our, their in zip(parameters(), ours, theirs, strict=True):
        moved = (their - start).norm()
        assert moved > 0.1
        assert (our - their).norm() < noise * moved, tuple(start.shape)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_update_is_nearly_orthogonal(shape) -> None:
    generator = torch.Generator().manual_seed(9)
    matrix = torch.randn(shape, generator=generator)
    found = orthogonal(matrix)
    assert found.shape == matrix.shape
    values = torch.linalg.svdvals(found)
    assert values.max() < 1.3
    assert values.median() > 0.6
    # the same singular vectors: it is a turn of the matrix, not another one
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    inner = left.T @ found @ right.T
    assert (inner - inner.diag().diag()).abs().max() < 1e-4
    torch.testing.assert_close(orthogonal(matrix * 1000), found, atol=1e-4, rtol=1e-3)


def test_no_gradient_no_step_and_a_gradient_of_zero_only_decays() -> None:
    untouched, decayed = parameters()[:2]
    decayed.grad = torch.zeros_like(decayed)
    Muon([untouched, decayed], LR, DECAY).step()
    start, other = parameters()[:2]
    assert torch.equal(untouched, start)
    torch.testing.assert_close(decayed, other * (1 - LR * DECAY))


def test_its_state_can_be_saved_and_gone_on_with() -> None:
    """A run that is resumed takes the very same steps."""
    whole, parted = parameters(), parameters()
    optimizer = Muon(whole, LR, DECAY)
    five_steps(whole, optimizer)
    five_steps(whole, optimizer)
    first = Muon(parted, LR, DECAY)
    five_steps(parted, first)
    second = Muon(parted, 1.0, 0.0)
    second.load_state_dict(first.state_dict())
    five_steps(parted, second)
    for one, other in zip(whole, parted, strict=True):
        assert torch.equal(one, other)
