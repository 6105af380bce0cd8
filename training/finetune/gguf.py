"""A model's folder -> GGUF files, by llama.cpp's own converter and quantizer.

`python -m training.finetune.gguf models/NAME --quantize Q4_K_M,Q8_0` writes
models/NAME/NAME.Q4_K_M.gguf and NAME.Q8_0.gguf, and says whether llama.cpp splits texts
into the same tokens as transformers.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import llama_cpp

from .. import TrainingError
from .staging import stage

CONVERTER = Path(__file__).parents[2] / "scripts" / "converter"
START = "<|im_start|>"
_F16 = "f16"
TYPES = {
    "Q2_K": llama_cpp.LLAMA_FTYPE_MOSTLY_Q2_K,
    "Q3_K_S": llama_cpp.LLAMA_FTYPE_MOSTLY_Q3_K_S,
    "Q3_K_M": llama_cpp.LLAMA_FTYPE_MOSTLY_Q3_K_M,
    "Q3_K_L": llama_cpp.LLAMA_FTYPE_MOSTLY_Q3_K_L,
    "Q4_0": llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_0,
    "Q4_K_S": llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_K_S,
    "Q4_K_M": llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_K_M,
    "Q5_0": llama_cpp.LLAMA_FTYPE_MOSTLY_Q5_0,
    "Q5_K_S": llama_cpp.LLAMA_FTYPE_MOSTLY_Q5_K_S,
    "Q5_K_M": llama_cpp.LLAMA_FTYPE_MOSTLY_Q5_K_M,
    "Q6_K": llama_cpp.LLAMA_FTYPE_MOSTLY_Q6_K,
    "Q8_0": llama_cpp.LLAMA_FTYPE_MOSTLY_Q8_0,
    _F16: llama_cpp.LLAMA_FTYPE_MOSTLY_F16,
}
SEEDS = ("f16", "Q8_0", "Q5_K_M", "Q4_K_M", "Q3_K_M", "Q2_K")
"""What the seed published of each model."""
_SAMPLES = (
    "You are 'Al'.\nServices: light.turn_off, light.turn_on\nDevices:\n"
    "light.office 'Office Light' = on;80%\n<|im_end|>\n<|im_start|>user\n"
    "turn off the office light<|im_end|>\n<|im_start|>assistant\n",
    'Done.\n```homeassistant\n{ "service": "light.turn_on", "brightness": 50 }\n```',
    "Where's the  dog? It's 21.5 °C, don't worry!",
    "Schließ die Rollläden im Büro, s'il te plaît",
    "灯を消して 🙂",
)


@dataclass(frozen=True, slots=True)
class Likeness:
    """How many of `texts` the two tokenizers split alike, and one that differs."""

    texts: int
    alike: int
    example: str = ""


def make(model: Path, names: Sequence[str], target: Path) -> list[Path]:
    """Write a GGUF file of each type in `names` to the folder `target`."""
    for name in names:
        if name not in TYPES:
            raise TrainingError(f"no type {name!r}", f"one of {', '.join(TYPES)}")
    target.mkdir(parents=True, exist_ok=True)
    title = model.resolve().name
    with tempfile.TemporaryDirectory(prefix=".gguf-", dir=target) as folder:
        plain = Path(folder) / "f16.gguf"
        convert(model, plain)
        written = []
        for name in sorted(set(names), key=lambda one: one == _F16):
            path = target / f"{title}.{name}.gguf"
            if name != _F16:
                quantize(plain, Path(folder) / name, name)
            (plain if name == _F16 else Path(folder) / name).replace(path)
            written.append(path)
    return written


def convert(model: Path, path: Path, kind: str = _F16) -> None:
    """Convert `model` to the GGUF file `path` with llama.cpp's converter."""
    found = subprocess.run([CONVERTER], stdout=subprocess.PIPE, check=False, text=True)
    if found.returncode:
        raise TrainingError("llama.cpp's converter could not be had", "see above")
    script = Path(found.stdout.strip()) / "convert_hf_to_gguf.py"
    # no code of the model's, and none from the hub in its place
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    environment |= {"HF_HUB_OFFLINE": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    with tempfile.TemporaryDirectory() as folder:
        staged = Path(folder) / (model.resolve().name or "model")
        staged.mkdir()
        stage(model, staged)
        ended = subprocess.run(
            [sys.executable, script, staged, "--outfile", path, "--outtype", kind],
            env=environment,
            capture_output=True,
            check=False,
            text=True,
            errors="replace",
        )
    if ended.returncode or not path.is_file():
        lines = (ended.stderr or ended.stdout).strip().splitlines() or ["no message"]
        raise TrainingError(
            f"llama.cpp's converter cannot convert {model}: {' / '.join(lines[-3:])}"
        )


def quantize(source: Path, path: Path, name: str, threads: int = 0) -> None:
    """Write the GGUF file `source` with weights of the type `name` to `path`."""
    options = llama_cpp.llama_model_quantize_default_params()
    options.ftype = TYPES[name]
    options.nthread = threads or os.cpu_count() or 1
    with _silenced() as heard:
        failed = llama_cpp.llama_model_quantize(
            os.fsencode(source), os.fsencode(path), ctypes.byref(options)
        )
    if failed:
        last = " ".join("".join(heard).split()[-40:])
        raise TrainingError(f"llama.cpp cannot quantize {source} to {name}: {last}")


def compare_tokens(model: Path, path: Path) -> Likeness:
    """Compare how transformers and llama.cpp split some texts."""
    import transformers

    ours = transformers.AutoTokenizer.from_pretrained(model, trust_remote_code=False)
    theirs = llama_cpp.Llama(str(path), vocab_only=True, verbose=False)
    chatml = START in ours.get_vocab()
    texts = [f"{START}system\n{text}" if chatml else text for text in _SAMPLES]
    different = [
        text
        for text in texts
        if ours(text)["input_ids"]
        != theirs.tokenize(text.encode(), add_bos=True, special=True)
    ]
    theirs.close()
    return Likeness(len(texts), len(texts) - len(different), "".join(different[:1]))


@contextmanager
def _silenced() -> Iterator[list[str]]:
    """Collect what llama.cpp says instead of printing it."""
    heard: list[str] = []

    @llama_cpp.llama_log_callback  # type: ignore[untyped-decorator, unused-ignore]
    def hear(_level: int, text: bytes, _data: Any) -> None:
        heard.append(text.decode(errors="replace"))

    llama_cpp.llama_log_set(hear, ctypes.c_void_p(0))
    try:
        yield heard
    finally:
        from llama_cpp._logger import llama_log_callback

        llama_cpp.llama_log_set(llama_log_callback, ctypes.c_void_p(0))


def _main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(
        "python -m training.finetune.gguf", description=__doc__, allow_abbrev=False
    )
    add = parser.add_argument
    add("model", type=Path, help="folder of a model: config.json and safetensors")
    add(
        "--quantize",
        default=",".join(SEEDS),
        help=f"by comma, of {', '.join(TYPES)} (default: %(default)s)",
    )
    add("--out", type=Path, help="folder of the files (default: that of the model)")
    arguments = parser.parse_args(argv)
    names = [name.strip() for name in arguments.quantize.split(",") if name.strip()]
    if not names:
        parser.error("--quantize names no type")
    written = make(arguments.model, names, arguments.out or arguments.model)
    for path in written:
        print(f"gguf: {path}: {path.stat().st_size / 1e6:.1f} MB")
    likeness = compare_tokens(arguments.model, written[0])
    print(f"gguf: {likeness.alike} of {likeness.texts} texts split alike by both sides")
    if likeness.example:
        print(f"gguf: warning: split differently by llama.cpp: {likeness.example!r}")


if __name__ == "__main__":
    try:
        _main(sys.argv[1:])
    except TrainingError as error:
        sys.exit(f"gguf: error: {error}")
