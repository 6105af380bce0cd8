"""The Llama decoder in PyTorch, laid out as llama.cpp's `llama` architecture runs it.

RMSNorm, interleaved RoPE, grouped-query attention, SwiGLU, tied embeddings. A batch is
one flat row of the tokens of many independent sequences: every linear layer sees the
real tokens only, and attention looks at each sequence alone, as its layout says.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F  # noqa: N812 - the usual name
from torch import Tensor, nn

from .layout import Layout

CONTEXT_LENGTH = 1024
"""Positions that the RoPE table covers and that the exported file declares."""
TOKEN_LIMIT = 4 * CONTEXT_LENGTH
"""Tokens of a sequence: blocks share positions, but each token costs a mask's row."""


@dataclass(frozen=True, slots=True)
class Config:
    """The shape of a model; `vocab` is the number of rows of the embedding."""

    vocab: int
    dim: int
    layers: int
    heads: int
    kv_heads: int
    ffn: int
    rope_base: float = 10000.0
    eps: float = 1e-5

    @property
    def head_dim(self) -> int:
        """Width of one attention head."""
        return self.dim // self.heads

    def to_dict(self) -> dict[str, float]:
        """Return the fields as plain data; `Config(**d)` reads them back."""
        return asdict(self)


PRESETS: dict[str, tuple[int, int, int, int, int]] = {
    # dim, layers, heads, KV heads, feed-forward width (all widths multiples of 32,
    # the block of Q8_0)
    "tiny": (64, 2, 2, 1, 128),
    "xs": (128, 4, 4, 2, 384),
    "s": (192, 6, 6, 3, 512),
    "m": (256, 8, 8, 4, 768),
    "l": (384, 8, 8, 4, 1024),
}


def preset(size: str, vocab: int) -> Config:
    """Return the configuration named `size` for a vocabulary of `vocab` tokens."""
    dim, layers, heads, kv_heads, ffn = PRESETS[size]
    return Config(vocab, dim, layers, heads, kv_heads, ffn)


class Llama(nn.Module):
    """The decoder. `forward` gives final hidden states, `logits` the token scores."""

    rope: Tensor

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Parameter(torch.empty(config.vocab, config.dim))
        self.blocks = nn.ModuleList(_Block(config) for _ in range(config.layers))
        self.norm = nn.Parameter(torch.ones(config.dim))
        inverse = config.rope_base ** (
            -torch.arange(0, config.head_dim, 2, dtype=torch.float64) / config.head_dim
        )
        angle = torch.arange(CONTEXT_LENGTH, dtype=torch.float64)[:, None] * inverse
        # (positions, head_dim / 2, 2): cosine and sine of each pair's angle
        table = torch.stack((angle.cos(), angle.sin()), -1).float()
        self.register_buffer("rope", table, persistent=False)
        self._initialise()

    def forward(self, ids: Tensor, layout: Layout) -> Tensor:
        """Return the normed hidden states (N, dim) of the flat tokens `ids` (N,)."""
        rope = self.rope[layout.positions].unsqueeze(1)
        x = F.embedding(ids, self.embedding)
        for block in self.blocks:
            x = block(x, rope, layout)
        return F.rms_norm(x, (x.shape[-1],), self.norm, self.config.eps)

    def logits(self, hidden: Tensor) -> Tensor:
        """Return scores (N, vocab); the embedding doubles as the output matrix."""
        return F.linear(hidden, self.embedding)

    def matrices(self) -> Iterator[tuple[str, nn.Parameter]]:
        """Yield the weight matrices of the blocks (trained by Muon)."""
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2 and name != "embedding":
                yield name, parameter

    def others(self) -> Iterator[tuple[str, nn.Parameter]]:
        """Yield embedding and norms (trained by AdamW)."""
        for name, parameter in self.named_parameters():
            if parameter.dim() != 2 or name == "embedding":
                yield name, parameter

    def _initialise(self) -> None:
        dim, layers = self.config.dim, self.config.layers
        nn.init.normal_(self.embedding, 0, 0.02)
        for name, weight in self.matrices():
            nn.init.normal_(weight, 0, 0.8 * dim**-0.5)
            if name.endswith(("attn_output", "ffn_down")):
                # keeps the residual stream's variance independent of the depth
                weight.data.mul_((2 * layers) ** -0.5)


class _Block(nn.Module):
    """One layer; parameters carry llama.cpp's names, so that export is a loop."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        dim, width = config.dim, config.kv_heads * config.head_dim
        self.config = config
        self.attn_norm = nn.Parameter(torch.ones(dim))
        self.attn_q = nn.Parameter(torch.empty(dim, dim))
        self.attn_k = nn.Parameter(torch.empty(width, dim))
        self.attn_v = nn.Parameter(torch.empty(width, dim))
        self.attn_output = nn.Parameter(torch.empty(dim, dim))
        self.ffn_norm = nn.Parameter(torch.ones(dim))
        self.ffn_gate = nn.Parameter(torch.empty(config.ffn, dim))
        self.ffn_up = nn.Parameter(torch.empty(config.ffn, dim))
        self.ffn_down = nn.Parameter(torch.empty(dim, config.ffn))

    def forward(self, x: Tensor, rope: Tensor, layout: Layout) -> Tensor:
        config = self.config
        y = F.rms_norm(x, (config.dim,), self.attn_norm, config.eps)
        q = _rotate(_heads(F.linear(y, self.attn_q), config.heads), rope)
        k = _rotate(_heads(F.linear(y, self.attn_k), config.kv_heads), rope)
        v = _heads(F.linear(y, self.attn_v), config.kv_heads)
        x = x + F.linear(_attend(q, k, v, layout), self.attn_output)
        y = F.rms_norm(x, (config.dim,), self.ffn_norm, config.eps)
        gate = F.silu(F.linear(y, self.ffn_gate)) * F.linear(y, self.ffn_up)
        return x + F.linear(gate, self.ffn_down)


def _heads(x: Tensor, heads: int) -> Tensor:
    """(N, heads * head_dim) -> (N, heads, head_dim)."""
    return x.view(x.shape[0], heads, -1)


def _rotate(x: Tensor, rope: Tensor) -> Tensor:
    """Turn neighbouring pairs of `x` (N, heads, head_dim) by their position's angle."""
    pairs = torch.view_as_complex(x.float().reshape(*x.shape[:-1], -1, 2))
    return torch.view_as_real(pairs * torch.view_as_complex(rope)).flatten(-2)


def _attend(q: Tensor, k: Tensor, v: Tensor, layout: Layout) -> Tensor:
    """Attention inside each sequence; returns (N, heads * head_dim)."""
    if q.device.type == "cpu":
        # PyTorch's bf16 attention on CPU is six times slower backwards than fp32
        with torch.autocast("cpu", enabled=False):
            return _attend_groups(q.float(), k.float(), v.float(), layout)
    return _attend_groups(q.to(v.dtype), k.to(v.dtype), v, layout)


def _attend_groups(q: Tensor, k: Tensor, v: Tensor, layout: Layout) -> Tensor:
    repeat = q.shape[1] // k.shape[1]
    parts = []
    for start, tokens, rows, width, slots, mask in layout.groups:
        run = slice(start, start + tokens)
        # Padding stands to the right of every sequence: nothing sees what comes later.
        mixed = F.scaled_dot_product_attention(
            _pad(q[run], rows, width, slots, 1),
            _pad(k[run], rows, width, slots, repeat),
            _pad(v[run], rows, width, slots, repeat),
            attn_mask=mask,
            is_causal=mask is None,  # the fast path
        )
        flat = mixed.transpose(1, 2).reshape(rows * width, -1)
        parts.append(flat.index_select(0, slots))
    return torch.cat(parts) if len(parts) > 1 else parts[0]


def _pad(x: Tensor, rows: int, width: int, slots: Tensor, times: int) -> Tensor:
    """(n, heads, head_dim) -> (rows, heads * times, width, head_dim)."""
    padded = x.new_zeros((rows * width, *x.shape[1:])).index_copy(0, slots, x)
    padded = padded.view(rows, width, *x.shape[1:]).transpose(1, 2)
    return padded.repeat_interleave(times, 1) if times > 1 else padded
