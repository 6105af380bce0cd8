"""From nothing to the embedded model: tokenizer, training, GGUF, proof, card.

`python -m training.make --size s --minutes 20` writes homellm_edge/models/default.gguf,
default.json and default.md. An interrupted run goes on with `--resume`; with
`--export-only` the checkpoint in the run's folder is exported as it is.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, fields
from importlib.metadata import version
from pathlib import Path
from typing import Any

from . import TrainingError, card
from .batches import prompt_of
from .evaluate import Figure, evaluate, held_out
from .export import LICENSE, NAME, TYPES, Parity, Trained, compare, load, write_gguf
from .model import CONTEXT_LENGTH
from .train import DECAY, Settings, add_settings, train

_PARITY_PROMPTS = 256
_PARITY_TEXTS = 4000


def make(
    settings: Settings,
    target: Path,
    *,
    kind: str = "q8_0",
    count: int = 2000,
    resume: bool = False,
    export_only: bool = False,
    evaluation: Path | None = None,
) -> card.Record:
    """Train by `settings`, write the model and its card to `target`; return the record.

    `count` held-out questions are asked. Raises TrainingError if llama.cpp does not
    give the trained model's answers.
    """
    independent = card.read_evaluation(evaluation) if evaluation else None
    run = Path(settings.out)
    if not export_only:
        _say(f"training {settings.minutes:g} minutes in {run}")
        run = train(settings, resume=resume)
    trained = load(run)
    _say("comparing PyTorch and llama.cpp")
    parity = prove(trained, _PARITY_PROMPTS, _PARITY_TEXTS)
    _say(f"writing {target}")
    write_gguf(trained, target, kind)
    _say(f"asking {count} held-out questions")
    made = trained.info["settings"]
    threads = settings.threads
    figures, _ = evaluate(target, held_out(made["data"], made["seed"], count), threads)
    record = describe(trained, target, kind, parity, figures)
    if independent:
        record["independent"] = independent
    card.write(record, target.with_suffix(".json"))
    _say(f"{target}: {100 * figures['all'].share:.1f} % of {count} right")
    return record


def prove(trained: Trained, prompts: int, texts: int) -> Parity:
    """Compare PyTorch and llama.cpp on held-out prompts; raise if they differ."""
    made = trained.info["settings"]
    examples = held_out(made["data"], made["seed"] + 1, max(prompts, texts // 2))
    with tempfile.TemporaryDirectory() as folder:
        f32 = Path(folder) / "f32.gguf"
        write_gguf(trained, f32, "f32")
        parity = compare(
            trained,
            f32,
            [prompt_of(example) for example in examples[:prompts]],
            [prompt_of(e) for e in examples[prompts:]] + [e.answer for e in examples],
        )
    parity.check()
    return parity


def describe(
    trained: Trained,
    target: Path,
    kind: str,
    parity: Parity,
    figures: dict[str, Figure],
) -> dict[str, Any]:
    """Return everything worth knowing about the file, as plain data."""
    info = trained.info
    parameters = sum(weight.numel() for weight in trained.weights.values())
    packages = ("torch", "tokenizers", "gguf", "llama-cpp-python")
    return {
        "name": NAME,
        "file": target.name,
        "sha256": hashlib.sha256(target.read_bytes()).hexdigest(),
        "bytes": target.stat().st_size,
        "license": LICENSE.upper(),
        "tensor_type": kind,
        "prompt_format": trained.prompt_format,
        "attention": trained.attention,
        "context": CONTEXT_LENGTH,
        "architecture": {**trained.config.to_dict(), "parameters": parameters},
        "data": {
            "version": info["data_version"],
            "seed": info["settings"]["seed"],
            "examples": info["examples"],
            "tokens": info["tokens"],
        },
        "training": {
            "command": _command(info["settings"]),
            "minutes": round(info["seconds"] / 60, 2),
            "steps": info["step"],
            "decay": DECAY,
            "settings": _portable(info["settings"]),
            "machine": info.get("machine", "a machine that was not recorded"),
            "software": ", ".join(f"{name} {version(name)}" for name in packages),
        },
        "parity": asdict(parity),
        "held_out": {name: asdict(figure) for name, figure in figures.items()},
    }


def _portable(settings: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is about this machine's folders."""
    return {key: value for key, value in settings.items() if key != "out"}


def _say(text: str) -> None:
    sys.stdout.write(f"make: {text}\n")
    sys.stdout.flush()


def _main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser("python -m training.make", description=__doc__)
    add = parser.add_argument
    add("--out", type=Path, default=Path("homellm_edge/models/default.gguf"))
    add("--run", default="training/out/default", help="folder of the checkpoint")
    add("--type", choices=sorted(TYPES), default="q8_0")
    add("--count", type=int, default=2000, help="held-out questions to ask")
    add("--eval-json", type=Path, help="independent evaluation for the card")
    add("--resume", action="store_true", help="go on with the checkpoint in --run")
    add("--export-only", action="store_true", help="export the checkpoint in --run")
    add_settings(parser, "out")
    options = vars(parser.parse_args(argv))
    target, run = options.pop("out"), options.pop("run")
    kind, count = options.pop("type"), options.pop("count")
    evaluation = options.pop("eval_json")
    resume, export_only = options.pop("resume"), options.pop("export_only")
    make(
        Settings(out=run, **options),
        target,
        kind=kind,
        count=count,
        resume=resume,
        export_only=export_only,
        evaluation=evaluation,
    )


def _command(settings: dict[str, Any]) -> str:
    """Return the command that repeats the run; what the machine decided is left out."""
    told = (
        "size",
        "minutes",
        "steps",
        "seed",
        "vocab",
        "corpus",
        "rate",
        "data",
        "start",
    )
    options = [
        f"--{field.name} {settings[field.name]}"
        for field in fields(Settings)
        if field.name in told and settings[field.name] != field.default
    ]
    return " ".join(["python -m training.make", *options])


if __name__ == "__main__":
    try:
        _main(sys.argv[1:])
    except TrainingError as error:
        sys.exit(f"make: {error}")
