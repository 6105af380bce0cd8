"""A model file before it is loaded: what it is, and whether it fits into memory."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from homellm_edge.engine.gguf_file import Header, Scalar, read_header
from homellm_edge.errors import ModelError, NotEnoughMemoryError

MIB = 1 << 20

DEFAULT_CONTEXT = 4096
"""Tokens of context, or what a model was trained for if that is less."""

KV_TYPES: Mapping[str, tuple[int, float]] = MappingProxyType(
    {"f32": (0, 4.0), "f16": (1, 2.0), "q8_0": (8, 34 / 32)}
)
"""Types of the KV cache: name -> (number of the ggml type, bytes per element)."""

_MAX_REASONABLE = 1 << 31
_CONTEXT_PADDING = 256
_FIXED_OVERHEAD = 16 * MIB
_BYTES_PER_TOKEN = 512  # llama.cpp's tables and what a grammar makes of a vocabulary
_NO_LIMIT = 1 << 60


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What a GGUF file says about its model; sizes in bytes, lengths in tokens.

    `n_head_kv` and the head sizes are those of the largest layer; 0 where the
    architecture has no attention. `metadata` holds every scalar and string.
    """

    path: Path
    file_bytes: int
    architecture: str
    name: str
    n_ctx_train: int
    n_layer: int
    n_embd: int
    n_ff: int
    n_head: int
    n_head_kv: int
    head_size_k: int
    head_size_v: int
    n_vocab: int
    chat_template: str
    metadata: Mapping[str, Scalar]

    @property
    def prompt_format(self) -> str:
        """The dialect named by `homellm.prompt_format`, empty when it is not there."""
        return self._named("homellm.prompt_format")

    @property
    def usual_context(self) -> int:
        """Tokens of context if nobody asks for a number.

        Blocks share positions, so with block attention there can be more tokens than
        the positions that the model was trained for.
        """
        if self.attention == "block":
            return DEFAULT_CONTEXT
        return min(self.n_ctx_train, DEFAULT_CONTEXT)

    @property
    def attention(self) -> str:
        """What it was trained with, by `homellm.attention`: `block`, or empty."""
        return self._named("homellm.attention")

    def _named(self, key: str) -> str:
        value = self.metadata.get(key, "")
        return value if isinstance(value, str) else ""

    def sha256(self) -> str:
        """Hash of the whole file, as 64 hexadecimal digits; reads all of it."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


def inspect_model(path: str | os.PathLike[str]) -> ModelInfo:
    """Read and check the header of a model file.

    Raises ModelError when it is missing, no GGUF, damaged, cut off, one part of
    several, or no language model.
    """
    header = read_header(Path(path))
    architecture = _text(header, "general.architecture")
    if not architecture:
        raise ModelError(f"{header.path} does not name its architecture")
    if _number(header, "split.count") > 1:
        raise ModelError(
            f"{header.path} is one part of a split model",
            "merge the parts with llama-gguf-split --merge",
        )
    n_layer = _number(header, f"{architecture}.block_count")
    n_embd = _number(header, f"{architecture}.embedding_length")
    n_ctx_train = _number(header, f"{architecture}.context_length")
    n_vocab = header.array_lengths.get("tokenizer.ggml.tokens", 0)
    if not (header.tensor_count and n_layer and n_embd and n_vocab and n_ctx_train):
        raise ModelError(
            f"{header.path} is no complete language model (architecture "
            f"{architecture[:40]!r}, {header.tensor_count} tensors, {n_layer} layers)",
            "use a text model in GGUF format",
        )
    n_head = _largest(header, f"{architecture}.attention.head_count")
    n_head_kv = _largest(header, f"{architecture}.attention.head_count_kv") or n_head
    head_size = n_embd // n_head if n_head else 0
    return ModelInfo(
        path=header.path,
        file_bytes=header.file_size,
        architecture=architecture,
        name=_text(header, "general.name"),
        n_ctx_train=n_ctx_train,
        n_layer=n_layer,
        n_embd=n_embd,
        n_ff=_largest(header, f"{architecture}.feed_forward_length"),
        n_head=n_head,
        n_head_kv=n_head_kv,
        head_size_k=_number(header, f"{architecture}.attention.key_length")
        or head_size,
        head_size_v=_number(header, f"{architecture}.attention.value_length")
        or head_size,
        n_vocab=n_vocab,
        chat_template=_text(header, "tokenizer.chat_template"),
        metadata=header.values,
    )


def estimate_memory(
    info: ModelInfo,
    n_ctx: int,
    *,
    kv_type: str = "f16",
    n_batch: int = 512,
    n_seq_max: int = 1,
    flash_attention: bool = True,
) -> int:
    """Bytes that model, KV cache and working buffers need, rounded up generously."""
    cells = n_ctx + -n_ctx % _CONTEXT_PADDING
    per_cell = info.n_layer * info.n_head_kv * (info.head_size_k + info.head_size_v)
    kv = int(cells * per_cell * KV_TYPES[kv_type][1])
    # Activations of one layer, twice; attention scores of one layer, which flash
    # attention never writes down; logits of each sequence and sampling's copies.
    activations = 2 * n_batch * (8 * info.n_embd + 3 * info.n_ff) * 4
    scores = 0 if flash_attention else n_batch * cells * max(info.n_head, 1) * 4
    logits = (n_seq_max + 3) * info.n_vocab * 4
    vocabulary = info.n_vocab * _BYTES_PER_TOKEN
    return (
        info.file_bytes
        + kv
        + activations
        + scores
        + logits
        + vocabulary
        + _FIXED_OVERHEAD
    )


def check_memory(needed: int, available: int | None = None) -> None:
    """Raise NotEnoughMemoryError when `needed` bytes are more than are free."""
    if available is None:
        available = available_memory()
    if needed > available:
        raise NotEnoughMemoryError(
            f"the model needs about {-(-needed // MIB)} MiB, "
            f"{available // MIB} MiB are free",
            "use a smaller context or a smaller model",
        )


def available_memory(root: Path = Path("/")) -> int:
    """Bytes that can still be used: what the kernel says, or a container's limit.

    `root` is the folder that holds `proc` and `sys`. Unknown means a very large number.
    """
    return min(_kernel_available(root), _cgroup_available(root))


def _kernel_available(root: Path) -> int:
    for line in _lines(root / "proc/meminfo"):
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return _NO_LIMIT


def _cgroup_available(root: Path) -> int:
    available = _NO_LIMIT
    base = root / "sys/fs/cgroup"
    for line in _lines(root / "proc/self/cgroup"):
        hierarchy, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        if hierarchy == "0":
            names = ("memory.max", "memory.current", "inactive_file")
            tops: tuple[Path, ...] = (base, base / "unified")
        elif "memory" in controllers.split(","):
            names = (
                "memory.limit_in_bytes",
                "memory.usage_in_bytes",
                "total_inactive_file",
            )
            tops = (base / "memory",)
        else:
            continue
        # A container often sees its own group at the top; every group above counts.
        parts = [part for part in group.split("/") if part not in ("", "..")]
        for top in tops:
            for depth in range(len(parts) + 1):
                folder = top.joinpath(*parts[:depth])
                available = min(available, _group_available(folder, *names))
    return available


def _group_available(folder: Path, limit: str, usage: str, reclaimable: str) -> int:
    try:
        most = int((folder / limit).read_text())
        used = int((folder / usage).read_text())
    except (OSError, ValueError):  # no such group, or "max"
        return _NO_LIMIT
    cached = 0
    for line in _lines(folder / "memory.stat"):
        name, _, value = line.partition(" ")
        if name == reclaimable:
            cached = int(value)
    return max(0, most - used + cached)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []


def _text(header: Header, key: str) -> str:
    value = header.values.get(key, "")
    return value if isinstance(value, str) else ""


def _number(header: Header, key: str) -> int:
    value = header.values.get(key, 0)
    if isinstance(value, int) and 0 <= value < _MAX_REASONABLE:
        return value
    raise ModelError(f"{header.path} is damaged: {key} is {value!r}", "get it again")


def _largest(header: Header, key: str) -> int:
    values = header.arrays.get(key)
    if values is None:
        return _number(header, key)
    numbers = [value for value in values if isinstance(value, int)]
    return max(0, min(_MAX_REASONABLE, max(numbers, default=0)))
