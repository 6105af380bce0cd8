"""The block attention of `prompt.blocks` in numpy, from its definition alone.

A Llama forward pass over a flat row of tokens with an explicit mask, in float64; reads
the tensors out of the GGUF file. Nothing of llama.cpp or of ours is in it.
"""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np


class Reference:
    """A model's weights."""

    def __init__(self, path: Path) -> None:
        reader = gguf.GGUFReader(path)
        self._tensors = {
            tensor.name: np.array(tensor.data, np.float64) for tensor in reader.tensors
        }

        def number(key: str) -> float:
            return reader.fields[f"llama.{key}"].contents()

        self._layers = int(number("block_count"))
        self._heads = int(number("attention.head_count"))
        self._kv_heads = int(number("attention.head_count_kv"))
        self._eps = number("attention.layer_norm_rms_epsilon")

    def logits(
        self,
        header: list[int],
        blocks: list[list[int]],
        turns: list[int],
        question: list[int],
    ) -> np.ndarray:
        """Logits after the last token of the question."""
        tokens, positions, parts = [*header], [*range(len(header))], [0] * len(header)
        first = len(header)
        for number, block in enumerate([*blocks, turns], 1):
            tokens += block
            positions += range(first, first + len(block))
            parts += [number] * len(block)
        start = first + max(map(len, [*blocks, turns]), default=0)
        tokens += question
        positions += range(start, start + len(question))
        parts += [-1] * len(question)
        part = np.array(parts)
        order = np.arange(len(tokens))
        sees = (part[None] == 0) | (part[None] == part[:, None]) | (part[:, None] == -1)
        return self._forward(
            np.array(tokens),
            np.array(positions),
            sees & (order[None] <= order[:, None]),
        )

    def _forward(
        self, tokens: np.ndarray, positions: np.ndarray, sees: np.ndarray
    ) -> np.ndarray:
        get = self._tensors.__getitem__
        x = get("token_embd.weight")[tokens]
        size = x.shape[1] // self._heads
        turn = positions[:, None] * 10000.0 ** (-np.arange(0, size, 2) / size)
        for layer in range(self._layers):
            block = f"blk.{layer}."
            h = self._norm(x, get(block + "attn_norm.weight"))
            q = self._split(h @ get(block + "attn_q.weight").T, self._heads)
            k = self._split(h @ get(block + "attn_k.weight").T, self._kv_heads)
            v = self._split(h @ get(block + "attn_v.weight").T, self._kv_heads)
            q, k = self._rotate(q, turn), self._rotate(k, turn)
            repeat = self._heads // self._kv_heads
            k, v = np.repeat(k, repeat, 1), np.repeat(v, repeat, 1)
            scores = np.einsum("qhd,khd->hqk", q, k) / np.sqrt(size)
            scores = np.where(sees[None], scores, -np.inf)
            weights = np.exp(scores - scores.max(-1, keepdims=True))
            weights /= weights.sum(-1, keepdims=True)
            mixed = np.einsum("hqk,khd->qhd", weights, v).reshape(len(tokens), -1)
            x = x + mixed @ get(block + "attn_output.weight").T
            h = self._norm(x, get(block + "ffn_norm.weight"))
            gate = h @ get(block + "ffn_gate.weight").T
            up = h @ get(block + "ffn_up.weight").T
            x = x + (gate / (1 + np.exp(-gate)) * up) @ get(block + "ffn_down.weight").T
        last = self._norm(x[-1:], get("output_norm.weight"))
        return (last @ get("output.weight").T)[0]

    def _norm(self, x: np.ndarray, weight: np.ndarray) -> np.ndarray:
        return x / np.sqrt((x * x).mean(-1, keepdims=True) + self._eps) * weight

    @staticmethod
    def _split(x: np.ndarray, heads: int) -> np.ndarray:
        return x.reshape(len(x), heads, -1)

    @staticmethod
    def _rotate(x: np.ndarray, turn: np.ndarray) -> np.ndarray:
        cos, sin = np.cos(turn)[:, None], np.sin(turn)[:, None]
        even, odd = x[..., ::2], x[..., 1::2]
        out = np.empty_like(x)
        out[..., ::2] = even * cos - odd * sin
        out[..., 1::2] = even * sin + odd * cos
        return out
