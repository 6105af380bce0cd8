"""The model and block attention once more, in float64 and by loops: what must come out.

Written from `homellm_edge.prompt.blocks`, without a line of `training`'s layout.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

Parts = tuple[Sequence[int], Sequence[Sequence[int]], Sequence[int], Sequence[int]]
"""Token ids of the header, of each block, of all turns, of question and answer."""


def places(parts: Parts) -> tuple[list[int], list[int], list[list[bool]]]:
    """Ids in flat order, their positions, and whether token i sees token j."""
    header, blocks, turns, question = parts
    after = len(header) + max([len(turns), *(len(block) for block in blocks)])
    tokens = [(token, "header", i) for i, token in enumerate(header)]
    for number, block in enumerate(blocks):
        tokens += [
            (token, f"block {number}", len(header) + i) for i, token in enumerate(block)
        ]
    tokens += [(token, "turns", len(header) + i) for i, token in enumerate(turns)]
    tokens += [(token, "question", after + i) for i, token in enumerate(question)]
    sees = [
        [
            later >= earlier
            and (theirs == "header" or mine == "question" or mine == theirs)
            for earlier, (_, theirs, _) in enumerate(tokens)
        ]
        for later, (_, mine, _) in enumerate(tokens)
    ]
    return [t for t, _, _ in tokens], [place for _, _, place in tokens], sees


def logits(weights: Mapping[str, Tensor], config, parts: Parts) -> Tensor:
    """Scores (tokens, vocabulary) after each token, in float64."""
    ids, positions, sees = places(parts)
    weights = {name: weight.double() for name, weight in weights.items()}
    x = weights["embedding"][ids]
    for layer in range(config.layers):
        own = {
            name.removeprefix(f"blocks.{layer}."): weight
            for name, weight in weights.items()
            if name.startswith(f"blocks.{layer}.")
        }
        y = _normed(x, own["attn_norm"], config.eps)
        q, k, v = (y @ own[f"attn_{name}"].T for name in "qkv")
        mixed = _attended(q, k, v, positions, torch.tensor(sees), config)
        x = x + mixed @ own["attn_output"].T
        y = _normed(x, own["ffn_norm"], config.eps)
        gate = y @ own["ffn_gate"].T
        x = x + (gate * gate.sigmoid() * (y @ own["ffn_up"].T)) @ own["ffn_down"].T
    return _normed(x, weights["norm"], config.eps) @ weights["embedding"].T


def _normed(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    return x / (x.square().mean(-1, keepdim=True) + eps).sqrt() * weight


def _attended(q, k, v, positions, sees, config) -> Tensor:
    size = config.head_dim
    heads = []
    for head in range(config.heads):
        shared = head // (config.heads // config.kv_heads)
        mine, theirs = slice(head * size, None), slice(shared * size, None)
        turned_q = _turned(q[:, mine][:, :size], positions, config.rope_base)
        turned_k = _turned(k[:, theirs][:, :size], positions, config.rope_base)
        scores = turned_q @ turned_k.T / size**0.5
        share = scores.masked_fill(~sees, float("-inf")).softmax(-1)
        heads.append(share @ v[:, theirs][:, :size])
    return torch.cat(heads, -1)


def _turned(x: Tensor, positions: Sequence[int], base: float) -> Tensor:
    """RoPE: pair (2i, 2i + 1) turned by position * base ** (-2i / size)."""
    columns = []
    place = torch.tensor(positions, dtype=torch.float64)
    for i in range(0, x.shape[1], 2):
        angle = place * base ** (-i / x.shape[1])
        one, two = x[:, i], x[:, i + 1]
        columns.append(one * angle.cos() - two * angle.sin())
        columns.append(one * angle.sin() + two * angle.cos())
    return torch.stack(columns, -1)
