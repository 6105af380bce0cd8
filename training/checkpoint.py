"""Checkpoints: safetensors parts plus one JSON file that names them (no pickle).

The JSON file is replaced last and at once, so a run that is killed while saving leaves
the previous checkpoint whole. A slim checkpoint keeps weights in F16 and the optimizer
in BF16: half the size, good for going on, not bit for bit.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from . import TrainingError

INDEX = "checkpoint.json"
PART_BYTES = 15 << 20
"""No part is larger (single tensors aside), so that parts pass narrow transfers."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Named tensors (`model.*`, `optimizer.*`) and plain data about them."""

    tensors: Mapping[str, Tensor]
    info: Mapping[str, Any]

    def model(self) -> dict[str, Tensor]:
        """Return the weights by parameter name, as F32."""
        prefix = "model."
        return {
            name.removeprefix(prefix): tensor.float()
            for name, tensor in self.tensors.items()
            if name.startswith(prefix)
        }


def save(folder: Path, checkpoint: Checkpoint, *, slim: bool = False) -> None:
    """Write `checkpoint` to `folder` in place of the one that is there."""
    folder.mkdir(parents=True, exist_ok=True)
    old = {path.name for path in folder.glob("part-*.safetensors")}
    step = checkpoint.info["step"]
    names = []
    for number, part in enumerate(_parts(checkpoint.tensors, slim=slim)):
        name = f"part-{step:07}-{number}.safetensors"
        save_file(part, folder / f"{name}.tmp")
        os.replace(folder / f"{name}.tmp", folder / name)  # noqa: PTH105
        names.append(name)
    index = {**checkpoint.info, "parts": names}
    temporary = folder / f"{INDEX}.tmp"
    temporary.write_text(json.dumps(index, indent=1) + "\n", "utf-8")
    temporary.replace(folder / INDEX)
    for name in old - set(names):
        (folder / name).unlink()


def load(folder: Path) -> Checkpoint:
    """Read the checkpoint in `folder`. Raises TrainingError if it is not whole."""
    try:
        info = json.loads((folder / INDEX).read_text("utf-8"))
        tensors: dict[str, Tensor] = {}
        for name in info.pop("parts"):
            if Path(name).name != name:
                raise ValueError(f"part {name!r} lies outside the folder")
            tensors.update(load_file(folder / name))
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise TrainingError(
            f"no usable checkpoint in {folder} ({error})", "train without --resume"
        ) from error
    return Checkpoint(tensors, info)


def _parts(tensors: Mapping[str, Tensor], *, slim: bool) -> list[dict[str, Tensor]]:
    parts: list[dict[str, Tensor]] = [{}]
    size = 0
    for name, tensor in tensors.items():
        kept = tensor.detach().cpu().contiguous()
        if slim and kept.dim() == 2:
            model = name.startswith("model.")
            kept = kept.to(torch.float16 if model else torch.bfloat16)
        if parts[-1] and size + kept.nbytes > PART_BYTES:
            parts.append({})
            size = 0
        parts[-1][name] = kept
        size += kept.nbytes
    return parts
