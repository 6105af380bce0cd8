"""Muon for weight matrices: momentum whose update is made nearly orthogonal.

After Jordan et al. 2024 (`torch.optim.Muon`, whose state names it keeps). PyTorch's own
always iterates in bfloat16; processors without instructions for that take a hundred
times as long as in float32, more than all the rest of a step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

_A, _B, _C = 3.4445, -4.775, 2.0315
_STEPS = 5
_EPS = 1e-7


class Muon(torch.optim.Optimizer):
    """Nesterov momentum 0.95, decoupled weight decay, updates scaled as AdamW's.

    `dtype`: in which the iteration is done.
    """

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float,
        weight_decay: float,
        dtype: torch.dtype = torch.float32,
        momentum: float = 0.95,
    ) -> None:
        self._dtype = dtype
        super().__init__(
            params, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum}
        )

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Take one step with the gradients that the parameters have."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, parameter.grad, group)

    def _update(self, parameter: Tensor, grad: Tensor, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(grad)
        buffer = state["momentum_buffer"]
        momentum = group["momentum"]
        buffer.lerp_(grad, 1 - momentum)
        update = orthogonal(grad.lerp(buffer, momentum).to(self._dtype))
        # an orthogonal update of n x m has a root mean square of 1 / sqrt(max(n, m))
        rate = group["lr"] * 0.2 * max(parameter.shape) ** 0.5
        parameter.mul_(1 - group["lr"] * group["weight_decay"])
        parameter.add_(update.to(parameter.dtype), alpha=-rate)


def orthogonal(matrix: Tensor) -> Tensor:
    """The matrix with its singular values near 1, by five Newton-Schulz steps."""
    wide = matrix.shape[0] <= matrix.shape[1]
    x = matrix if wide else matrix.T
    x = x / x.norm().clamp(min=_EPS)
    for _ in range(_STEPS):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=_B, alpha=_C), x, beta=_A)
    return x if wide else x.T
