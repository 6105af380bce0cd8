"""`python -m training.data --help`: data sets as JSONL files, see docs/training.md."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from .. import TrainingError
from .merge import merge
from .rows import FORMATS, SIZES, WRAPPED, check_language, line, row
from .wording import LANGUAGES

SEEDS = {"sample": 42, "train": 42, "test": 12345}
COUNTS = {"sample": 100, "train": 50_000, "test": 2_000}
_EVERY = 10.0
"""Seconds between two words on the progress."""


def main(argv: Sequence[str]) -> None:
    """Write what `argv` asks for; prints the files' paths."""
    settings = _parser().parse_args(argv)
    check_language(settings.language)
    names = [name for name in SEEDS if getattr(settings, name)]
    if not names and settings.merge is None:
        raise TrainingError("nothing to write", "add --sample, --train or --test")
    if settings.merge is not None and settings.format not in WRAPPED:
        raise TrainingError(
            f"instructions cannot be asked in the format {settings.format}",
            f"merge them in {' or '.join(WRAPPED)}",
        )
    folder: Path = settings.out
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            print(_write(folder, name, settings), flush=True)
        if settings.merge is not None:
            _merge(folder, settings)
    except OSError as error:
        raise TrainingError(f"{folder} cannot be written: {error.strerror}") from None


def _write(folder: Path, name: str, settings: argparse.Namespace) -> Path:
    seed = SEEDS[name] if settings.seed is None else settings.seed
    count = settings.count or COUNTS[name]
    target = folder / f"{name}.jsonl"
    half_done = target.with_name(f"{target.name}.part")
    progress = _Progress(f"{name}: {{}} of {count} rows")
    with half_done.open("w", encoding="utf-8", newline="") as file:
        for index in range(count):
            made = row(
                settings.format, name, seed, index, settings.size, settings.language
            )
            file.write(line(made))
            progress(index + 1)
    half_done.replace(target)
    _say(f"{name}: {count} rows, {target.stat().st_size / 1e6:.1f} MB")
    return target


def _merge(folder: Path, settings: argparse.Namespace) -> None:
    seed = SEEDS["train"] if settings.seed is None else settings.seed
    _say(f"merge: reading {settings.merge}")
    progress = _Progress("merge: {} records")
    done = merge(settings.merge, folder, settings.format, seed, settings.size, progress)
    for why, count in done.unfit.items():
        _say(f"merge: {count} records left out, {why}")
    for name, count in done.rows.items():
        _say(f"merged_{name}: {count} rows")
        print(folder / f"merged_{name}.jsonl", flush=True)


class _Progress:
    """Says now and then how far it is; `{}` in the text is how much is done."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._said = time.monotonic()

    def __call__(self, done: int) -> None:
        if time.monotonic() - self._said > _EVERY:
            self._said = time.monotonic()
            _say(self._text.format(done))


def _say(text: str) -> None:
    print(f"data: {text}", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m training.data",
        description="Write data sets of sentences in random homes; see "
        "docs/training.md.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    for name, seed in SEEDS.items():
        add(
            f"--{name}",
            action="store_true",
            help=f"write {name}.jsonl: {COUNTS[name]} rows, seed {seed}",
        )
    add(
        "--merge",
        type=Path,
        metavar="FILE",
        help="write merged_train.jsonl and merged_test.jsonl: the rows of train.jsonl "
        "and test.jsonl with those of FILE (Alpaca's form, JSON or JSONL)",
    )
    add("--language", default="en", help=f"of: {', '.join(LANGUAGES)}")
    add("--format", choices=FORMATS, default="chatml", help="default: %(default)s")
    sizes = ", ".join(f"{n} {low} to {high}" for n, (low, high) in SIZES.items())
    add(
        "--size",
        choices=tuple(SIZES),
        default="medium",
        help=f"entities of a home: {sizes} (default: %(default)s)",
    )
    add("--count", type=_positive, metavar="N", help="rows of each file")
    add("--seed", type=int, metavar="N", help="instead of the seeds above")
    add("--out", type=Path, metavar="FOLDER", default=Path("training/out/data"),
        help="default: %(default)s")  # fmt: skip
    return parser


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of rows")
    return int(text)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except TrainingError as error:
        sys.exit(f"data: error: {error}")
