"""Starts a run with what an earlier model has learned, token by token.

Tokens are matched by their text, so the vocabulary may have changed; the shape of the
layers may not. `--start homellm_edge/models/default.gguf`
"""

from __future__ import annotations

from pathlib import Path

import gguf
import torch

from . import TrainingError
from .export import gguf_name
from .model import Llama
from .tokenizer import Tokenizer


def warm_start(model: Llama, tokenizer: Tokenizer, path: Path) -> float:
    """Copy weights from the GGUF file in `path`; return the share of known tokens.

    Raises TrainingError if the file is no model of this shape.
    """
    try:
        reader = gguf.GGUFReader(path)
        known = reader.fields["tokenizer.ggml.tokens"]
        texts = [bytes(known.parts[at]).decode() for at in known.data]
    except (OSError, ValueError, LookupError) as error:
        raise TrainingError(f"cannot read {path} ({error})") from error
    tensors = {tensor.name: tensor for tensor in reader.tensors}
    places = {text: place for place, text in enumerate(texts)}
    wanted = {gguf_name(name) for name, _ in model.named_parameters()}
    for name in tensors.keys() - wanted:
        raise TrainingError(
            f"{path}: the model has no {name}", "start from a model of the same --size"
        )
    shared = 0
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            tensor = tensors.get(gguf_name(name))
            if tensor is None:
                raise TrainingError(f"{path} has no {gguf_name(name)}")
            weights = torch.from_numpy(
                gguf.quants.dequantize(tensor.data, tensor.tensor_type).copy()
            )
            shape = parameter.shape
            if name == "embedding":
                shape = torch.Size((len(texts), shape[1]))
            if weights.shape != shape:
                raise TrainingError(
                    f"{path}: {name} is {tuple(weights.shape)}, not {tuple(shape)}",
                    "start from a model of the same --size",
                )
            if name != "embedding":
                parameter.copy_(weights.to(parameter.device))
                continue
            for place, text in enumerate(tokenizer.token_texts()):
                if text in places:
                    row = weights[places[text]]
                    parameter[place] = row.to(parameter.device)
                    shared += 1
    return shared / tokenizer.size
