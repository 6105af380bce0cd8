"""What a run is told: the seed's flags, their defaults, and what cannot go together."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any

from .. import TrainingError
from .formats import FORMATS

SCHEDULES = (
    "constant",
    "constant_with_warmup",
    "cosine",
    "cosine_with_restarts",
    "inverse_sqrt",
    "linear",
    "polynomial",
)
LAST = "last"
"""As `resume_from_checkpoint`: the newest checkpoint of the run."""


def _flag(default: Any, text: str, choices: Sequence[str] | None = None) -> Any:
    return field(default=default, metadata={"help": text, "choices": choices})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that a run depends on; the names are those of the flags."""

    run_name: str = _flag(MISSING, "name of the run and of its folder")
    train_dataset: str = _flag(MISSING, "JSONL file to learn from")
    test_dataset: str = _flag("", "JSONL file to measure the loss on")
    base_model: str = _flag(MISSING, "folder of the pretrained model, or its hub name")
    ctx_size: int = _flag(2048, "tokens a row may have; what is longer is cut off")
    bf16: bool = _flag(False, "weights and arithmetic in bfloat16 instead of float32")
    batch_size: int = _flag(8, "rows a step, over all processes")
    micro_batch_size: int = _flag(2, "rows at once; the others are accumulated")
    epochs: int = _flag(1, "how often all rows are seen")
    learning_rate: float = _flag(1e-5, "learning rate of the first step")
    learning_rate_schedule: str = _flag("cosine", "how the rate goes on", SCHEDULES)
    weight_decay: float = _flag(0.1, "AdamW's weight decay")
    gradient_clip: float = _flag(1.0, "largest norm of all gradients; 0: no limit")
    resume_from_checkpoint: str = _flag("", f"a checkpoint to go on from, or {LAST!r}")
    eval_steps: int = _flag(100, "steps between two measurements of test_dataset")
    save_steps: int = _flag(-1, "steps between two checkpoints; -1: one per epoch")
    save_total_limit: int = _flag(0, "how many checkpoints are kept; 0: all")
    group_by_length: bool = _flag(False, "rows of similar length in one batch")
    load_in_8bit: bool = _flag(False, "the base's weights in 8 bits (bitsandbytes)")
    load_in_4bit: bool = _flag(False, "the base's weights in 4 bits (bitsandbytes)")
    load_as_gptq: bool = _flag(False, "the base is a GPTQ model (gptqmodel, optimum)")
    use_lora: bool = _flag(False, "train LoRA adapters instead of all weights")
    lora_rank: int = _flag(4, "rank of the adapters")
    lora_alpha: int = _flag(32, "the adapters' output is scaled by alpha / rank")
    lora_dropout: float = _flag(0.05, "dropout before the adapters")
    lora_modules: str = _flag("", "modules with adapters, by comma; none: peft's own")
    lora_modules_to_save: str = _flag("", "modules trained in full, by comma")
    lora_merge: bool = _flag(False, "also write the model with the adapters merged in")
    add_pad_token: bool = _flag(False, "add <|pad|>, for models that have none")
    add_chatml_tokens: bool = _flag(
        False, "add <|im_start|> and <|im_end|> and make them BOS and EOS"
    )
    gradient_checkpointing: bool = _flag(False, "less memory, a third more time")
    run_tensorboard: bool = _flag(False, "log for TensorBoard")
    chat_format: str = _flag("chatml", "how conversations are written", tuple(FORMATS))
    output_dir: str = _flag(".", "where models/ and loras/ are")
    seed: int = _flag(42, "of the order of the rows, dropout and new weights")

    def __post_init__(self) -> None:
        self._check_numbers()
        quantized = [
            name
            for name in ("load_in_8bit", "load_in_4bit", "load_as_gptq")
            if getattr(self, name)
        ]
        if len(quantized) > 1:
            raise TrainingError(f"{' and '.join(quantized)} exclude each other")
        if quantized and not self.use_lora:
            raise TrainingError(
                f"{quantized[0]}: quantized weights cannot be trained", "add --use_lora"
            )
        if self.load_as_gptq and self.lora_merge:
            raise TrainingError(
                "adapters cannot be merged into GPTQ weights",
                "leave out --lora_merge, or train on the model before GPTQ",
            )
        if self.lora_merge and not self.use_lora:
            raise TrainingError("lora_merge merges nothing", "add --use_lora")
        if Path(self.run_name).name != self.run_name or self.run_name in ("", ".."):
            raise TrainingError(f"run_name {self.run_name!r} is no name of a folder")

    def _check_numbers(self) -> None:
        least = {
            **dict.fromkeys(("ctx_size", "batch_size", "micro_batch_size"), 1),
            **dict.fromkeys(("epochs", "eval_steps", "lora_rank", "lora_alpha"), 1),
            **dict.fromkeys(("learning_rate", "weight_decay", "gradient_clip"), 0),
            **dict.fromkeys(("lora_dropout", "save_total_limit", "seed"), 0),
        }
        for name, bound in least.items():
            if not getattr(self, name) >= bound:  # nan, too
                raise TrainingError(
                    f"{name} is {getattr(self, name)}", f"least: {bound}"
                )
        if self.save_steps < 1 and self.save_steps != -1:
            raise TrainingError(f"save_steps is {self.save_steps}", "-1 or 1 and more")
        if self.lora_dropout >= 1:
            raise TrainingError(f"lora_dropout is {self.lora_dropout}", "less than 1")

    @property
    def run_folder(self) -> Path:
        """Where checkpoints and what was trained go: loras/NAME or models/NAME."""
        kind = "loras" if self.use_lora else "models"
        return Path(self.output_dir) / kind / self.run_name

    @property
    def model_folder(self) -> Path:
        """Where the whole model goes, with adapters merged in if there are any."""
        return Path(self.output_dir) / "models" / self.run_name

    def accumulation(self, processes: int) -> int:
        """How many micro batches of each of `processes` make a step."""
        together = self.micro_batch_size * processes
        steps, rest = divmod(self.batch_size, together)
        if rest:
            raise TrainingError(
                f"batch_size {self.batch_size} is no multiple of "
                f"micro_batch_size x processes = {together}",
                "change one of them",
            )
        return steps


def modules(names: str) -> list[str]:
    """Split a list of module names as the flags have it."""
    return [name for name in (part.strip() for part in names.split(",")) if name]


def parse(argv: Sequence[str]) -> Settings:
    """Read `argv`; ends the program with a message if it makes no sense."""
    parser = argparse.ArgumentParser(
        "python -m training.finetune",
        description="Fine-tune a pretrained model; see docs/finetuning.md.",
        allow_abbrev=False,
    )
    for one in fields(Settings):
        _add(parser, one.name, str(one.type), one.default, dict(one.metadata))
    return Settings(**vars(parser.parse_args(argv)))


def _add(
    parser: argparse.ArgumentParser,
    name: str,
    kind: str,
    default: Any,
    metadata: dict[str, Any],
) -> None:
    options: dict[str, Any] = {"dest": name, "help": metadata["help"]}
    if metadata["choices"]:
        options |= {"choices": metadata["choices"], "metavar": name.upper()}
        options["help"] += f": {', '.join(metadata['choices'])}"
    if kind == "bool":
        options |= {"type": _truth, "nargs": "?", "const": True, "metavar": "BOOL"}
    else:
        options["type"] = {"int": int, "float": float, "str": str}[kind]
    if default is MISSING:
        options["required"] = True
    else:
        options["default"] = default
        options["help"] += (
            f" (default: {default})" if default not in ("", False) else ""
        )
    parser.add_argument(
        *dict.fromkeys((f"--{name}", f"--{name.replace('_', '-')}")), **options
    )


def _truth(text: str) -> bool:
    if text.lower() in ("true", "yes", "1", "on"):
        return True
    if text.lower() in ("false", "no", "0", "off"):
        return False
    raise argparse.ArgumentTypeError(f"{text!r} is neither true nor false")
