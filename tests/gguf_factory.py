"""Tiny random-weight GGUF models, written in a moment and the same every time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import gguf
import numpy as np

NORMAL, CONTROL, USER_DEFINED = 1, 3, 4
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
MERGES = (
    "t h|th e|i n|o n|o f|of f|l i|g h|li gh|ligh t|e r|a n|i t|o r|e n|Ġ th|Ġ t|Ġ o|"
    "Ġo n|Ġof f|. l|k i|t c|tc h|ki tch|kitch en|r o|o m|ro om|s e|se r|v i|c e|vi ce"
).split("|")


def byte_symbols() -> list[str]:
    """GPT-2's printable stand-in for each byte, in order of the bytes."""
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    symbols, spare = [], 256
    for byte in range(256):
        if byte in printable:
            symbols.append(chr(byte))
        else:
            symbols.append(chr(spare))
            spare += 1
    return symbols


def write_llama(
    path: Path,
    *,
    seed: int = 0,
    layers: int = 2,
    width: int = 64,
    context: int = 2048,
    special: tuple[str, ...] = SPECIAL,
    end: str | None = "<|im_end|>",
    metadata: dict[str, str] | None = None,
    architecture: str = "llama",
    tensors: bool = True,
    without: str = "",
    merges: Sequence[str] = MERGES,
) -> Path:
    """Write a llama-architecture model (f32).

    `end` None names no end token; `without` are letters that no token has; `merges`
    make the longer tokens.
    """
    heads, kv_heads, ff = 4, 2, width * 2
    head = width // heads
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_context_length(context)
    writer.add_embedding_length(width)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(ff)
    writer.add_head_count(heads)
    writer.add_head_count_kv(kv_heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(head)
    writer.add_file_type(0)
    size = _add_vocabulary(writer, special, end, without, merges)
    for key, value in (metadata or {}).items():
        writer.add_string(key, value)
    if tensors:
        rng = np.random.default_rng(seed)
        _matrix(writer, rng, "token_embd.weight", size, width, np.sqrt(width) * 0.5)
        for layer in range(layers):
            block = f"blk.{layer}."
            _ones(writer, block + "attn_norm.weight", width)
            _ones(writer, block + "ffn_norm.weight", width)
            # peaky attention: a mistake in mask or position shows in the logits
            _matrix(writer, rng, block + "attn_q.weight", width, width, 1.6)
            _matrix(writer, rng, block + "attn_k.weight", kv_heads * head, width, 1.6)
            _matrix(writer, rng, block + "attn_v.weight", kv_heads * head, width)
            _matrix(writer, rng, block + "attn_output.weight", width, width)
            _matrix(writer, rng, block + "ffn_gate.weight", ff, width)
            _matrix(writer, rng, block + "ffn_up.weight", ff, width)
            _matrix(writer, rng, block + "ffn_down.weight", width, ff)
        _ones(writer, "output_norm.weight", width)
        _matrix(writer, rng, "output.weight", size, width, 2.0)
    return _write(writer, path)


def write_mamba(path: Path, *, seed: int = 0, layers: int = 2, width: int = 64) -> Path:
    """Write a mamba-architecture model (f32): recurrent, its memory cannot be cut."""
    inner, state, conv, rank = width * 2, 16, 4, 4
    writer = gguf.GGUFWriter(path, "mamba")
    writer.add_context_length(2048)
    writer.add_embedding_length(width)
    writer.add_feed_forward_length(0)
    writer.add_head_count(0)
    writer.add_block_count(layers)
    writer.add_ssm_conv_kernel(conv)
    writer.add_ssm_inner_size(inner)
    writer.add_ssm_state_size(state)
    writer.add_ssm_time_step_rank(rank)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_file_type(0)
    size = _add_vocabulary(writer, SPECIAL, "<|im_end|>")
    rng = np.random.default_rng(seed)
    _matrix(writer, rng, "token_embd.weight", size, width, np.sqrt(width) * 0.5)
    for layer in range(layers):
        block = f"blk.{layer}."
        _ones(writer, block + "attn_norm.weight", width)
        _matrix(writer, rng, block + "ssm_in.weight", inner * 2, width)
        _matrix(writer, rng, block + "ssm_conv1d.weight", inner, conv)
        writer.add_tensor(block + "ssm_conv1d.bias", np.zeros(inner, np.float32))
        _matrix(writer, rng, block + "ssm_x.weight", rank + 2 * state, inner)
        _matrix(writer, rng, block + "ssm_dt.weight", inner, rank)
        writer.add_tensor(block + "ssm_dt.bias", np.zeros(inner, np.float32))
        decay = -np.tile(np.arange(1, state + 1, dtype=np.float32), (inner, 1))
        writer.add_tensor(block + "ssm_a", decay)
        _ones(writer, block + "ssm_d", inner)
        _matrix(writer, rng, block + "ssm_out.weight", width, inner)
    _ones(writer, "output_norm.weight", width)
    _matrix(writer, rng, "output.weight", size, width, 2.0)
    return _write(writer, path)


def write_gemma3(
    path: Path, *, seed: int = 0, layers: int = 6, width: int = 64, window: int = 48
) -> Path:
    """Write a gemma3-architecture model (f32): five of six layers see a window only."""
    heads, kv_heads, ff, head = 4, 2, width * 2, width // 4
    writer = gguf.GGUFWriter(path, "gemma3")
    writer.add_context_length(4096)
    writer.add_embedding_length(width)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(ff)
    writer.add_head_count(heads)
    writer.add_head_count_kv(kv_heads)
    writer.add_key_length(head)
    writer.add_value_length(head)
    writer.add_sliding_window(window)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    writer.add_file_type(0)
    size = _add_vocabulary(writer, SPECIAL, "<|im_end|>")
    rng = np.random.default_rng(seed)
    _matrix(writer, rng, "token_embd.weight", size, width, np.sqrt(width) * 0.5)
    for layer in range(layers):
        block = f"blk.{layer}."
        _ones(writer, block + "attn_norm.weight", width)
        _ones(writer, block + "ffn_norm.weight", width)
        _ones(writer, block + "post_attention_norm.weight", width)
        _ones(writer, block + "post_ffw_norm.weight", width)
        _ones(writer, block + "attn_q_norm.weight", head)
        _ones(writer, block + "attn_k_norm.weight", head)
        _matrix(writer, rng, block + "attn_q.weight", width, width, 1.6)
        _matrix(writer, rng, block + "attn_k.weight", kv_heads * head, width, 1.6)
        _matrix(writer, rng, block + "attn_v.weight", kv_heads * head, width)
        _matrix(writer, rng, block + "attn_output.weight", width, width)
        _matrix(writer, rng, block + "ffn_gate.weight", ff, width)
        _matrix(writer, rng, block + "ffn_up.weight", ff, width)
        _matrix(writer, rng, block + "ffn_down.weight", width, ff)
    _ones(writer, "output_norm.weight", width)
    return _write(writer, path)


def _add_vocabulary(
    writer: gguf.GGUFWriter,
    special: tuple[str, ...],
    end: str | None,
    without: str = "",
    merges: Sequence[str] = MERGES,
) -> int:
    joined = ["".join(pair.split(" ")) for pair in merges]
    # a letter that is missing becomes a control token, so that ids stay as they are
    symbols = [f"<{text}>" if text in without else text for text in byte_symbols()]
    tokens = [*symbols, *joined, *special]
    kinds = [CONTROL if len(text) > 1 else NORMAL for text in symbols]
    kinds += [NORMAL] * len(joined) + [CONTROL] * len(special)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges(list(merges))
    writer.add_add_bos_token(False)
    if end is not None:
        writer.add_eos_token_id(tokens.index(end))
    writer.add_vocab_size(len(tokens))
    return len(tokens)


def _matrix(
    writer: gguf.GGUFWriter,
    rng: np.random.Generator,
    name: str,
    rows: int,
    columns: int,
    gain: float = 1.0,
) -> None:
    values = rng.standard_normal((rows, columns), dtype=np.float32)
    writer.add_tensor(name, (values * (gain / np.sqrt(columns))).astype(np.float32))


def _ones(writer: gguf.GGUFWriter, name: str, size: int) -> None:
    writer.add_tensor(name, np.ones(size, np.float32))


def _write(writer: gguf.GGUFWriter, path: Path) -> Path:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
