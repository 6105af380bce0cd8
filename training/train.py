"""Trains the model from scratch within a wall-clock budget; can be stopped and resumed.

`python -m training.train --size s --minutes 20 --out training/out/run1`. On a GPU the
defaults suit a GPU. Two CPU cores work as two threads with a share of the batch each:
nearly twice the speed, where PyTorch's own threads lose it on a machine others use too.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import signal
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the usual name
from torch import Tensor

from . import TrainingError, checkpoint
from .batches import (
    Batch,
    Encoded,
    Stream,
    attention_of,
    collate,
    encode,
    load_data,
    make_example,
    prompt_format_of,
    shards,
)
from .model import PRESETS, Llama, preset
from .muon import Muon
from .progress import Progress
from .tokenizer import FRAME, Tokenizer

TOKENIZER = "tokenizer.json"
LOG = "log.jsonl"
_WARM_UP_STEPS = 50
DECAY = 0.45
"""The last part of the budget, in which the learning rate falls to nothing."""
_PASS_TOKENS = 16384
_EMBEDDING_RATE = 0.4  # AdamW's rate as a share of Muon's


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that decides a run. 0 or "" where the machine decides.

    `minutes`: budget of wall time over all calls; `call_minutes`: of this call (0: no
    limit); `steps`: budget in steps (0: none); `batch_tokens`: tokens in a step;
    `corpus`: texts that the tokenizer learns from; `start`: a GGUF file of ours whose
    weights a new run begins with ("": from nothing).
    """

    out: str = "training/out/run"
    size: str = ""
    minutes: float = 20.0
    call_minutes: float = 0.0
    steps: int = 0
    seed: int = 1
    start: str = ""
    vocab: int = 2560
    corpus: int = 16000
    batch_tokens: int = 0
    rate: float = 1e-2
    weight_decay: float = 0.01
    sentence_weight: float = 0.3
    threads: int = 2
    workers: int = -1
    precision: str = ""
    log_minutes: float = 2.0
    log_examples: int = 1000
    slim: bool = False
    data: str = "training.data"

    def complete(self) -> Settings:
        """Return the settings with what this machine decides filled in."""
        gpu = torch.cuda.is_available()
        cores = torch.multiprocessing.cpu_count()
        filled = asdict(self)
        filled["size"] = self.size or ("l" if gpu else "s")
        filled["batch_tokens"] = self.batch_tokens or (65536 if gpu else 4096)
        if self.workers < 0:
            filled["workers"] = max(1, cores - 2) if gpu else 1
        if not self.precision:
            fast = gpu or torch.cpu._is_avx512_bf16_supported()
            filled["precision"] = "bf16" if fast else "fp32"
        filled["threads"] = 1 if gpu else max(1, min(self.threads, cores))
        if filled["size"] not in PRESETS:
            raise TrainingError(
                f"no model size {filled['size']!r}", f"one of {', '.join(PRESETS)}"
            )
        return Settings(**filled)


class Trainer:
    """A model with its optimizers, and where the run stands."""

    def __init__(self, settings: Settings, tokenizer: Tokenizer) -> None:
        torch.manual_seed(settings.seed)
        torch.set_num_threads(1)
        self.settings = settings
        self.tokenizer = tokenizer
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.model = Llama(preset(settings.size, tokenizer.size)).to(self.device)
        self.step = 0
        self.examples = 0
        self.tokens = 0
        self.seconds = 0.0
        self.loss = 0.0
        self._parameters = list(self.model.parameters())
        matrices = [p for _, p in self.model.matrices()]
        fast = settings.precision == "bf16"
        muon = [
            Muon(
                matrices[i :: settings.threads],
                lr=settings.rate,
                weight_decay=settings.weight_decay,
                dtype=torch.bfloat16 if fast else torch.float32,
            )
            for i in range(settings.threads)
        ]
        self._adam = torch.optim.AdamW(
            [p for _, p in self.model.others()],
            lr=settings.rate * _EMBEDDING_RATE,
            betas=(0.9, 0.95),
            weight_decay=0.0,
        )
        self._optimizers: list[torch.optim.Optimizer] = [*muon, self._adam]
        self._pool = ThreadPoolExecutor(
            settings.threads, initializer=torch.set_num_threads, initargs=(1,)
        )

    def train_step(self, shares: Sequence[Sequence[Encoded]]) -> None:
        """Take one optimizer step on the examples of all shares together."""
        batches = list(self._pool.map(self._collate, shares))
        answers = sum(batch.answers for batch in batches)
        results = list(
            self._pool.map(lambda batch: self._gradients(batch, answers), batches)
        )
        for place, parameter in enumerate(self._parameters):
            gradient = results[0][1][place]
            for _, others in results[1:]:
                gradient = gradient + others[place]
            parameter.grad = gradient
        torch.nn.utils.clip_grad_norm_(self._parameters, 1.0)
        rate = self.rate()
        for optimizer in self._optimizers:
            share = _EMBEDDING_RATE if optimizer is self._adam else 1.0
            for group in optimizer.param_groups:
                group["lr"] = rate * share
        list(self._pool.map(lambda optimizer: optimizer.step(), self._optimizers))
        loss = float(sum(result[0] for result in results))
        self.loss = loss if self.step == 0 else 0.95 * self.loss + 0.05 * loss
        self.step += 1
        self.examples += sum(len(share) for share in shares)
        self.tokens += sum(len(batch.ids) for batch in batches)

    def progress(self) -> float:
        """Share of the budget that is used up, 0 to 1."""
        used = self.seconds / (60 * self.settings.minutes)
        if self.settings.steps:
            used = self.step / self.settings.steps
        return min(1.0, used)

    def rate(self) -> float:
        """Muon's learning rate now: warm-up, constant, linear decay."""
        warm_up = min(1.0, (self.step + 1) / _WARM_UP_STEPS)
        decay = min(1.0, max(0.01, (1 - self.progress()) / DECAY))
        return self.settings.rate * warm_up * decay

    def accuracy(self, examples: Sequence[Encoded]) -> dict[str, float]:
        """Share of `examples` answered exactly right, by kind and as `all`.

        Greedy decoding writes the given answer exactly when every one of its tokens is
        the model's first choice after the ones before it; so one pass tells.
        """
        right: dict[str, list[bool]] = defaultdict(list)
        parts = list(_parts(examples))
        results = self._pool.map(self._exact, parts)
        for part, marks in zip(parts, results, strict=True):
            for example, exact in zip(part, marks, strict=True):
                right[example.kind].append(exact)
        everything = [exact for marks in right.values() for exact in marks]
        figures = {kind: sum(r) / len(r) for kind, r in sorted(right.items())}
        return {"all": sum(everything) / len(everything), **figures}

    def save(self, *, slim: bool = False) -> None:
        """Write a checkpoint to the run's folder."""
        tensors = {f"model.{n}": p for n, p in self.model.named_parameters()}
        names = {id(p): n for n, p in self.model.named_parameters()}
        for optimizer in self._optimizers:
            for parameter, state in optimizer.state.items():
                for key, value in state.items():
                    tensors[f"optimizer.{names[id(parameter)]}.{key}"] = value
        data = load_data(self.settings.data)
        info = {
            "size": self.settings.size,
            "tokenizer": self.tokenizer.fingerprint,
            "config": self.model.config.to_dict(),
            "step": self.step,
            "examples": self.examples,
            "tokens": self.tokens,
            "seconds": self.seconds,
            "loss": self.loss,
            "data_version": data.VERSION,
            "prompt_format": prompt_format_of(data),
            "attention": attention_of(data),
            "machine": machine(),
            "settings": asdict(self.settings),
        }
        saved = checkpoint.Checkpoint(tensors, info)
        checkpoint.save(Path(self.settings.out), saved, slim=slim)

    def resume(self) -> None:
        """Go on where the checkpoint in the run's folder ended."""
        saved = checkpoint.load(Path(self.settings.out))
        declared = attention_of(load_data(self.settings.data))
        before = {"attention": "causal", **saved.info}
        for field, mine in (
            ("size", self.settings.size),
            ("tokenizer", self.tokenizer.fingerprint),
            ("attention", declared),
        ):
            if before.get(field) != mine:
                raise TrainingError(
                    f"the checkpoint's {field} is {before.get(field)}, not {mine}",
                    "use the settings that it was made with, or another --out",
                )
        self.model.load_state_dict(saved.model())
        parameters = dict(self.model.named_parameters())
        for optimizer in self._optimizers:
            for group in optimizer.param_groups:
                for parameter in group["params"]:
                    name = next(n for n, p in parameters.items() if p is parameter)
                    state = _optimizer_state(saved, name)
                    # a step counter stays where the optimizer made it: on the CPU
                    optimizer.state[parameter] = {
                        key: value if value.dim() == 0 else value.to(self.device)
                        for key, value in state.items()
                    }
        for field in ("step", "examples", "tokens", "seconds", "loss"):
            setattr(self, field, saved.info[field])

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown()

    def _collate(self, examples: Sequence[Encoded]) -> Batch:
        return collate(examples, self.settings.sentence_weight, self.device)

    def _scores(self, batch: Batch) -> Tensor:
        with torch.autocast(
            self.device,
            torch.bfloat16,
            enabled=self.settings.precision == "bf16",
            cache_enabled=False,  # the cache is shared by the threads
        ):
            hidden = self.model(batch.ids, batch.layout)
            scores: Tensor = self.model.logits(hidden[batch.source])
        return scores.float()

    def _gradients(
        self, batch: Batch, answers: int
    ) -> tuple[float, tuple[Tensor, ...]]:
        """Return this share's part of the answers' loss, and its gradients."""
        losses = F.cross_entropy(self._scores(batch), batch.target, reduction="none")
        total = (losses * batch.weight).sum() / answers
        gradients = torch.autograd.grad(total, self._parameters)
        shown = losses.detach()[batch.weight == 1.0].sum() / answers
        return float(shown), gradients

    def _exact(self, examples: Sequence[Encoded]) -> list[bool]:
        batch = collate(examples, 0.0, self.device)
        with torch.no_grad():
            wrong = self._scores(batch).argmax(-1) != batch.target
        missed = set(batch.owner[wrong].tolist())
        # collate orders by length; sorting is stable, so the places can be found again
        order = sorted(range(len(examples)), key=lambda i: len(examples[i].ids))
        exact = [True] * len(examples)
        for place, example in enumerate(order):
            exact[example] = place not in missed
        return exact


def train(settings: Settings, *, resume: bool = False) -> Path:
    """Train until the budget is used up; return the folder with the checkpoint."""
    settings = settings.complete()
    if threading.current_thread() is threading.main_thread():
        # a plain kill must end the worker processes, too
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    out = Path(settings.out)
    out.mkdir(parents=True, exist_ok=True)
    tokenizer = _tokenizer(settings, keep=resume)
    data = load_data(settings.data)
    attention = attention_of(data)
    tests = {
        name: [
            encode(tokenizer, make_example(data, seed, index, split), attention)
            for index in range(count)
        ]
        for name, split, seed, count in (
            ("held_out", "held_out", settings.seed, settings.log_examples),
            ("phrasings", "phrasings", settings.seed, settings.log_examples // 2),
            ("fresh", "train", ~settings.seed, settings.log_examples // 2),
        )
        if split in getattr(data, "SPLITS", ("train", "held_out"))
    }
    trainer = Trainer(settings, tokenizer)
    if resume and (out / checkpoint.INDEX).exists():
        trainer.resume()
    else:
        (out / LOG).unlink(missing_ok=True)
        if settings.start:
            from .warm import warm_start  # needs gguf, which plain training does not

            known = warm_start(trainer.model, tokenizer, Path(settings.start))
            sys.stdout.write(f"{100 * known:.0f} % of the tokens are known already\n")
    stream = Stream(
        settings.data,
        out / TOKENIZER,
        settings.seed,
        trainer.examples,
        settings.workers,
    )
    try:
        _loop(trainer, stream, tests)
    finally:
        stream.close()
        trainer.close()
    return out


def machine() -> str:
    """Name this machine's type: processor and, where there is one, GPU."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    models = [x.partition(":")[2].strip() for x in lines if x.startswith("model name")]
    cores = torch.multiprocessing.cpu_count()
    name = f"{cores} cores {models[0] if models else platform.machine()}"
    if torch.cuda.is_available():
        name = f"{torch.cuda.get_device_name()} and {name}"
    return name


def _loop(trainer: Trainer, stream: Stream, tests: dict[str, list[Encoded]]) -> None:
    settings = trainer.settings
    began = time.monotonic() - trainer.seconds
    limit = trainer.seconds + 60 * (settings.call_minutes or settings.minutes)
    logged = trainer.seconds
    logged_tokens = trainer.tokens
    steps = shards(iter(stream), settings.batch_tokens, settings.threads)
    progress, accuracy = Progress(), None
    while trainer.progress() < 1 and trainer.seconds < limit:
        trainer.train_step(next(steps))
        trainer.seconds = time.monotonic() - began
        progress.show(trainer.progress(), trainer.loss, accuracy)
        if trainer.seconds - logged >= 60 * settings.log_minutes:
            speed = (trainer.tokens - logged_tokens) / (trainer.seconds - logged)
            progress.done()
            accuracy = _log(trainer, tests, speed).get("held_out", {}).get("all")
            trainer.save(slim=settings.slim)
            trainer.seconds = logged = time.monotonic() - began
            logged_tokens = trainer.tokens
    progress.done()
    passed = max(trainer.seconds - logged, 1e-9)
    _log(trainer, tests, (trainer.tokens - logged_tokens) / passed)
    trainer.seconds = time.monotonic() - began
    trainer.save(slim=settings.slim)


def _log(
    trainer: Trainer, tests: dict[str, list[Encoded]], speed: float
) -> dict[str, Any]:
    line: dict[str, Any] = {
        "step": trainer.step,
        "minutes": round(trainer.seconds / 60, 2),
        "tokens": trainer.tokens,
        "examples": trainer.examples,
        "loss": round(trainer.loss, 4),
        "rate": round(trainer.rate(), 6),
        "tokens_per_s": round(speed),
    }
    for split, examples in tests.items():
        if examples:
            figures = trainer.accuracy(examples)
            line[split] = {kind: round(share, 4) for kind, share in figures.items()}
    text = json.dumps(line)
    with (Path(trainer.settings.out) / LOG).open("a", encoding="utf-8") as log:
        log.write(text + "\n")
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
    return line


def _tokenizer(settings: Settings, *, keep: bool) -> Tokenizer:
    """Load the run's tokenizer, or make it from the data module's texts."""
    path = Path(settings.out) / TOKENIZER
    if not (keep and path.exists()):
        data = load_data(settings.data)
        rng = random.Random(f"{settings.seed}/tokenizer")
        macros = dict.fromkeys((*data.MACROS, *FRAME))
        made = Tokenizer.train(
            data.CORPUS(rng, settings.corpus), data.SPECIALS, [*macros], settings.vocab
        )
        made.save(path)
    return Tokenizer.load(path)


def _parts(examples: Sequence[Encoded]) -> Iterator[list[Encoded]]:
    """Group examples so that what one pass keeps of them stays small."""
    part: list[Encoded] = []
    tokens = 0
    for example in examples:
        if len(part) == 128 or (part and tokens + len(example.ids) > _PASS_TOKENS):
            yield part
            part, tokens = [], 0
        part.append(example)
        tokens += len(example.ids)
    if part:
        yield part


def _optimizer_state(saved: checkpoint.Checkpoint, name: str) -> dict[str, Tensor]:
    prefix = f"optimizer.{name}."
    return {
        key.removeprefix(prefix): value.float()
        for key, value in saved.tensors.items()
        if key.startswith(prefix) and "." not in key.removeprefix(prefix)
    }


def _main(argv: Sequence[str] | None = None) -> None:
    settings, resume = _arguments(argv)
    train(settings, resume=resume)


def _arguments(argv: Sequence[str] | None) -> tuple[Settings, bool]:
    parser = argparse.ArgumentParser("python -m training.train", description=__doc__)
    parser.add_argument(
        "--resume", action="store_true", help="go on with the checkpoint in --out"
    )
    add_settings(parser)
    arguments = vars(parser.parse_args(argv))
    resume = bool(arguments.pop("resume"))
    return Settings(**arguments), resume


def add_settings(parser: argparse.ArgumentParser, *skip: str) -> None:
    """Add an option for every field of Settings but those in `skip`."""
    for field in fields(Settings):
        if field.name in skip:
            continue
        option = "--" + field.name.replace("_", "-")
        if isinstance(field.default, bool):
            parser.add_argument(option, action="store_true")
        else:
            parser.add_argument(option, type=type(field.default), default=field.default)


if __name__ == "__main__":
    try:
        _main()
    except TrainingError as error:
        sys.exit(f"training: {error}")
