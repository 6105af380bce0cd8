"""Checkpoint -> GGUF (architecture `llama`), and the proof that both answer the same.

`python -m training.export --run training/out/run1 --gguf model.gguf --type q8_0`
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import torch
from torch import Tensor

from homellm_edge.prompt.blocks import Prompt

from . import TrainingError, checkpoint
from .batches import attention_of, load_data, make_example, prompt_of, tokenize
from .evaluate import Runner
from .layout import Layout
from .model import CONTEXT_LENGTH, Config, Llama
from .tokenizer import Tokenizer
from .train import TOKENIZER

NAME = "homellm-edge default"
LICENSE = "mit"
TYPES = {
    "f32": (gguf.GGMLQuantizationType.F32, gguf.LlamaFileType.ALL_F32),
    "f16": (gguf.GGMLQuantizationType.F16, gguf.LlamaFileType.MOSTLY_F16),
    "q8_0": (gguf.GGMLQuantizationType.Q8_0, gguf.LlamaFileType.MOSTLY_Q8_0),
}


@dataclass(frozen=True, slots=True)
class Trained:
    """A trained model: shape, weights by parameter name, tokenizer, how it was made."""

    config: Config
    weights: Mapping[str, Tensor]
    tokenizer: Tokenizer
    info: Mapping[str, Any]

    @property
    def attention(self) -> str:
        """The attention that it was trained with."""
        return str(self.info.get("attention", "causal"))

    @property
    def prompt_format(self) -> str:
        """The name of the format of its prompts."""
        return str(self.info.get("prompt_format", "grounded"))

    def llama(self) -> Llama:
        """Return the PyTorch model, ready to run in F32 on the CPU."""
        model = Llama(self.config)
        model.load_state_dict(dict(self.weights))
        return model.eval()


@dataclass(frozen=True, slots=True)
class Parity:
    """How far PyTorch and llama.cpp differ on the same prompts (F32 weights and KV).

    `logit`: largest difference of a score at any prompt position; `tokens_differ`:
    texts that the two tokenizers split differently; `greedy_differ`: prompts whose
    greedy answers differ; `prompts`, `texts`: how many were compared.
    """

    prompts: int
    texts: int
    logit: float
    tokens_differ: int
    greedy_differ: int

    def check(self) -> None:
        """Raise TrainingError unless the two are the same."""
        # Float32 sums in another order: a thousandth of scores that reach 30.
        if self.logit >= 5e-3 or self.tokens_differ or self.greedy_differ:
            raise TrainingError(
                f"llama.cpp does not run the model as trained: {self}",
                "check the versions of gguf and llama-cpp-python",
            )


def load(run: Path) -> Trained:
    """Read the checkpoint and the tokenizer in the folder `run`."""
    saved = checkpoint.load(run)
    tokenizer = Tokenizer.load(run / TOKENIZER)
    if saved.info.get("tokenizer") != tokenizer.fingerprint:
        raise TrainingError(
            f"{run / TOKENIZER} is not the tokenizer that the model was trained with"
        )
    config = Config(**saved.info["config"])
    trained = Trained(config, saved.model(), tokenizer, saved.info)
    name = saved.info["settings"]["data"]
    attention = attention_of(load_data(name))
    if attention != trained.attention:
        raise TrainingError(
            f"the model was trained with {trained.attention} attention, but {name} "
            f"declares {attention}",
            f"let the module declare ATTENTION = {trained.attention!r}, or train anew",
        )
    return trained


def write_gguf(trained: Trained, path: Path, kind: str = "q8_0") -> None:
    """Write `trained` to `path`, its matrices as `kind`: f32, f16 or q8_0."""
    if kind not in TYPES:
        raise TrainingError(f"no tensor type {kind!r}", f"one of {', '.join(TYPES)}")
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(path, "llama")
    _write_shape(writer, trained.config, kind)
    _write_tokenizer(writer, trained.tokenizer)
    _write_history(writer, trained)
    for name, weight in trained.weights.items():
        _write_tensor(writer, gguf_name(name), weight, kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def compare(
    trained: Trained,
    f32: Path,
    prompts: Sequence[str | Prompt],
    texts: Sequence[str | Prompt] = (),
) -> Parity:
    """Run `prompts` through PyTorch and through `f32` (the F32 export) and compare.

    Of `texts` only the tokens are compared. Both are read with the model's attention.
    """
    model = trained.llama()
    tokenizer = trained.tokenizer
    logit, greedy_differ, tokens_differ = 0.0, 0, 0
    with Runner(f32, exact=True) as runner, torch.no_grad():
        for text in (*prompts, *texts):
            tokens_differ += tokenize(
                runner.tokenize, text, runner.attention
            ) != tokenize(tokenizer.encode, text, trained.attention)
        for prompt in prompts:
            ids, segments = tokenize(tokenizer.encode, prompt, trained.attention)
            theirs = runner.scores(ids, segments)
            answer = runner.greedy(ids, 64, segments)
            whole = torch.tensor([*ids, *answer])
            layout = Layout.of([len(whole)], segments=[segments])
            ours = model.logits(model(whole, layout))
            difference = np.abs(ours[: len(ids)].numpy() - theirs).max()
            logit = max(logit, float(difference))
            # PyTorch would write the same tokens if each is its first choice, too
            chosen = ours[len(ids) - 1 : -1].argmax(-1).tolist()
            greedy_differ += chosen != list(answer)
    return Parity(
        len(prompts), len(prompts) + len(texts), logit, tokens_differ, greedy_differ
    )


def _write_shape(writer: gguf.GGUFWriter, config: Config, kind: str) -> None:
    writer.add_name(NAME)
    writer.add_license(LICENSE)
    writer.add_context_length(CONTEXT_LENGTH)
    writer.add_embedding_length(config.dim)
    writer.add_block_count(config.layers)
    writer.add_feed_forward_length(config.ffn)
    writer.add_head_count(config.heads)
    writer.add_head_count_kv(config.kv_heads)
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_rope_freq_base(config.rope_base)
    writer.add_layer_norm_rms_eps(config.eps)
    writer.add_vocab_size(config.vocab)
    writer.add_file_type(TYPES[kind][1])
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)


def _write_tokenizer(writer: gguf.GGUFWriter, tokenizer: Tokenizer) -> None:
    texts = tokenizer.token_texts()
    types = [gguf.TokenType.NORMAL] * len(texts)
    plain = len(texts) - len(tokenizer.specials) - len(tokenizer.macros)
    for i in range(plain, len(texts)):
        control = i < plain + len(tokenizer.specials)
        types[i] = gguf.TokenType.CONTROL if control else gguf.TokenType.USER_DEFINED
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(texts)
    writer.add_token_types(types)
    writer.add_token_merges(tokenizer.merges())
    writer.add_eos_token_id(tokenizer.end)
    writer.add_eot_token_id(tokenizer.end)
    if "<|pad|>" in texts:
        writer.add_pad_token_id(texts.index("<|pad|>"))
    writer.add_add_bos_token(False)
    writer.add_add_eos_token(False)


def _write_history(writer: gguf.GGUFWriter, trained: Trained) -> None:
    info = trained.info
    writer.add_string("homellm.prompt_format", trained.prompt_format)
    if trained.attention != "causal":  # which is what a file without means
        writer.add_string("homellm.attention", trained.attention)
    writer.add_string("homellm.data_version", str(info["data_version"]))
    writer.add_float32("homellm.trained_minutes", info["seconds"] / 60)
    writer.add_uint64("homellm.trained_tokens", info["tokens"])
    writer.add_uint64("homellm.trained_examples", info["examples"])
    writer.add_uint32("homellm.seed", info["settings"]["seed"])


def _write_tensor(
    writer: gguf.GGUFWriter, name: str, weight: Tensor, kind: str
) -> None:
    values = weight.detach().float().numpy()
    if values.ndim == 1 or kind == "f32":
        writer.add_tensor(name, values)
        return
    wanted = TYPES[kind][0]
    writer.add_tensor(name, gguf.quants.quantize(values, wanted), raw_dtype=wanted)


def gguf_name(parameter: str) -> str:
    """`blocks.0.attn_q` -> `blk.0.attn_q.weight`, and the like."""
    fixed = {"embedding": "token_embd.weight", "norm": "output_norm.weight"}
    if parameter in fixed:
        return fixed[parameter]
    _, layer, name = parameter.split(".")
    return f"blk.{layer}.{name}.weight"


def _main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser("python -m training.export", description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="folder of the run")
    parser.add_argument("--gguf", type=Path, required=True, help="file to write")
    parser.add_argument("--type", choices=sorted(TYPES), default="q8_0")
    parser.add_argument(
        "--prompts", type=int, default=0, help="compare with llama.cpp on so many (f32)"
    )
    arguments = parser.parse_args(argv)
    trained = load(arguments.run)
    write_gguf(trained, arguments.gguf, arguments.type)
    if arguments.prompts:
        if arguments.type != "f32":
            raise TrainingError("only an F32 export can be compared", "--type f32")
        settings = trained.info["settings"]
        data = load_data(settings["data"])
        prompts = [
            prompt_of(make_example(data, settings["seed"], i, "held_out"))
            for i in range(arguments.prompts)
        ]
        parity = compare(trained, arguments.gguf, prompts)
        sys.stdout.write(f"{parity}\n")
        parity.check()


if __name__ == "__main__":
    try:
        _main()
    except TrainingError as error:
        sys.exit(f"export: {error}")
