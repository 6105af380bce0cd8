"""One run: rows, model, steps, checkpoints; then adapters or a whole model on disk."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers.trainer_utils import get_last_checkpoint

from .. import TrainingError
from .data import Collator, Encoder, Rows, padding_id, read_both
from .model import END, START, load_model, load_tokenizer, merged, save, with_adapters
from .settings import LAST, Settings, modules


@dataclass(frozen=True, slots=True)
class Result:
    """What a run left behind.

    `folder` has what was trained; `model` the whole model, None if there are only
    adapters; `log` what was measured: `loss` and `eval_loss` by `step`.
    """

    folder: Path
    model: Path | None
    steps: int
    log: Sequence[Mapping[str, float]]


def fine_tune(settings: Settings) -> Result:
    """Train as `settings` say and write the result; raises TrainingError."""
    checkpoint = _checkpoint(settings)
    if checkpoint is None:
        _check_new(settings)
    arguments = training_arguments(settings)
    transformers.set_seed(settings.seed)
    tokenizer = load_tokenizer(settings)
    _check_tokens(settings, tokenizer)
    learned, measured = read_both(
        settings.train_dataset,
        settings.test_dataset,
        Encoder.of(tokenizer, settings.chat_format),
        settings.ctx_size,
    )
    _tell_rows(settings, learned, measured)
    model = load_model(settings, tokenizer)
    if settings.use_lora:
        model = with_adapters(model, settings)
    trainer = transformers.Trainer(
        model=model,
        args=arguments,
        train_dataset=learned,
        eval_dataset=measured,
        data_collator=Collator(padding_id(tokenizer)),
        processing_class=tokenizer,
    )
    _check_parallelism(trainer)
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    written = None
    if trainer.is_world_process_zero():
        written = _write(settings, trainer, tokenizer)
        _say(f"{trainer.state.global_step} steps done")
    trainer.accelerator.wait_for_everyone()
    return Result(
        settings.run_folder,
        written,
        trainer.state.global_step,
        tuple(trainer.state.log_history),
    )


def training_arguments(settings: Settings) -> Any:
    """Return the settings under the names that transformers has for them."""
    if settings.run_tensorboard and find_spec("tensorboard") is None:
        raise TrainingError(
            "--run_tensorboard needs tensorboard", "pip install tensorboard"
        )
    per_epoch = settings.save_steps == -1
    return transformers.TrainingArguments(
        output_dir=str(settings.run_folder),
        run_name=settings.run_name,
        num_train_epochs=settings.epochs,
        per_device_train_batch_size=settings.micro_batch_size,
        per_device_eval_batch_size=settings.micro_batch_size,
        gradient_accumulation_steps=settings.accumulation(_processes()),
        learning_rate=settings.learning_rate,
        lr_scheduler_type=settings.learning_rate_schedule,
        weight_decay=settings.weight_decay,
        max_grad_norm=settings.gradient_clip,
        bf16=settings.bf16,
        use_cpu=not torch.accelerator.is_available(),
        eval_strategy="steps" if settings.test_dataset else "no",
        eval_steps=settings.eval_steps if settings.test_dataset else None,
        prediction_loss_only=True,
        save_strategy="epoch" if per_epoch else "steps",
        save_steps=500 if per_epoch else settings.save_steps,
        save_total_limit=settings.save_total_limit or None,
        logging_steps=5,
        logging_first_step=True,
        train_sampling_strategy=(
            "group_by_length" if settings.group_by_length else "random"
        ),
        activation_checkpointing=settings.gradient_checkpointing,
        activation_checkpointing_kwargs={"use_reentrant": False},
        report_to=["tensorboard"] if settings.run_tensorboard else [],
        remove_unused_columns=False,
        dataloader_pin_memory=torch.accelerator.is_available(),
        seed=settings.seed,
    )


def _write(settings: Settings, trainer: Any, tokenizer: Any) -> Path | None:
    model = trainer.accelerator.unwrap_model(trainer.model)
    _say(f"writing {settings.run_folder}")
    save(model, tokenizer, settings.run_folder, settings.base_model)
    if not settings.use_lora:
        return settings.run_folder
    if not settings.lora_merge:
        return None
    _say(f"merging the adapters into {settings.model_folder}")
    whole = merged(model, settings.run_folder, settings, tokenizer)
    save(whole, tokenizer, settings.model_folder, settings.base_model)
    return settings.model_folder


def _processes() -> int:
    """How many micro batches are worked on at once; one GPU each without a launcher."""
    return int(os.environ.get("WORLD_SIZE") or max(1, torch.cuda.device_count()))


def _checkpoint(settings: Settings) -> Path | None:
    wanted = settings.resume_from_checkpoint
    if not wanted:
        return None
    if wanted == LAST:
        folder = settings.run_folder
        newest: Any = get_last_checkpoint
        found = newest(str(folder)) if folder.is_dir() else None
        if found is None:
            raise TrainingError(f"{folder} has no checkpoint to go on from")
        return Path(found)
    if not (Path(wanted) / "trainer_state.json").is_file():
        raise TrainingError(
            f"{wanted} is no checkpoint", f"name a folder checkpoint-N, or {LAST!r}"
        )
    return Path(wanted)


def _check_new(settings: Settings) -> None:
    merged_too = [settings.model_folder] if settings.lora_merge else []
    for folder in (settings.run_folder, *merged_too):
        if folder.is_dir() and any(folder.iterdir()) and _first():
            raise TrainingError(
                f"{folder} is there already",
                "choose another --run_name, go on with --resume_from_checkpoint last, "
                "or remove it",
            )


def _check_tokens(settings: Settings, tokenizer: Any) -> None:
    """Say what looks like a mistake but may be meant."""
    vocabulary = tokenizer.get_vocab()
    if settings.chat_format == "chatml" and not {START, END} <= set(vocabulary):
        _say(f"{START} and {END} are no tokens of this model; see --add_chatml_tokens")
    if settings.add_chatml_tokens and settings.use_lora:
        saved = modules(settings.lora_modules_to_save)
        if not {"embed_tokens", "lm_head"} <= set(saved):
            _say(
                "the new tokens are not learned: that takes "
                "--lora_modules_to_save embed_tokens,lm_head"
            )


def _check_parallelism(trainer: Any) -> None:
    if trainer.is_fsdp_enabled or trainer.is_deepspeed_enabled:
        raise TrainingError(
            "FSDP and DeepSpeed are not supported",
            "start with accelerate launch --multi_gpu: each GPU has the whole model",
        )


def _tell_rows(settings: Settings, learned: Rows, measured: Rows | None) -> None:
    for name, rows in (
        (settings.train_dataset, learned),
        (settings.test_dataset, measured),
    ):
        if rows is not None:
            _say(
                f"{name}: {len(rows)} rows, {rows.cut} cut at {settings.ctx_size} "
                f"tokens, {rows.useless} left out: nothing to learn"
            )


def _first() -> bool:
    return os.environ.get("RANK", "0") == "0"


def _say(text: str) -> None:
    if _first():
        print(f"finetune: {text}", flush=True)
