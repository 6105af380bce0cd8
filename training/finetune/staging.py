"""A model's folder as llama.cpp's converter needs it.

The converter takes code that a model brings for its tokenizer, so none goes with it.
And it does not know all that transformers writes nowadays: added tokens beside a
`tokenizer.model` stand in tokenizer.json only, as does whether a text begins with BOS;
and rows of the embeddings without a token need one with some tokenizers.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from .. import TrainingError

_TAKEN = (".safetensors", ".json", ".model", ".txt", ".jinja")


def stage(model: Path, folder: Path) -> None:
    """Fill the empty `folder` with links to files of `model`, and with changed ones."""
    config = _config(model)
    for source in sorted(model.iterdir()):
        if source.is_file() and source.suffix in _TAKEN:
            (folder / source.name).symlink_to(source.resolve())
    _write(folder / "config.json", _without_code(config))
    tokenizer = _read(model / "tokenizer.json")
    options = _without_code(_read(model / "tokenizer_config.json"))
    if (model / "tokenizer.model").is_file():
        options["added_tokens_decoder"] = {
            str(token["id"]): {
                "content": token["content"],
                "special": token.get("special", False),
            }
            for token in tokenizer.get("added_tokens", [])
        } | options.get("added_tokens_decoder", {})
        if tokenizer:
            _say_what_begins(Tokenizer.from_str(json.dumps(tokenizer)), options)
    elif tokenizer:
        _pad(tokenizer, int(config.get("vocab_size", 0)))
        _write(folder / "tokenizer.json", tokenizer)
    _write(folder / "tokenizer_config.json", options)


def _config(model: Path) -> dict[str, Any]:
    if (model / "adapter_config.json").is_file():
        raise TrainingError(
            f"{model} holds adapters, no model",
            "train with --lora_merge and convert models/NAME",
        )
    config = _read(model / "config.json")
    if not config:
        raise TrainingError(f"{model} is no model", "it needs a config.json")
    if not any(model.glob("*.safetensors")):
        raise TrainingError(
            f"{model} has no safetensors", "pickled weights are not read here"
        )
    return config


def _say_what_begins(tokenizer: Tokenizer, options: dict[str, Any]) -> None:
    """Name what llama.cpp would otherwise guess: BOS and a space at the beginning.

    llama.cpp puts the space behind every special token, too. Newer tokenizers do so at
    the beginning of the text only: where that is a special token, there is none.
    """
    bos, eos = (_token(options.get(name)) for name in ("bos_token", "eos_token"))
    tokens = tokenizer.encode("a").tokens
    options.setdefault("add_bos_token", tokens[:1] == [bos])
    options.setdefault("add_eos_token", tokens[-1:] == [eos])
    behind = tokenizer.encode(f"{bos}a", add_special_tokens=False).tokens
    if not options["add_bos_token"] and behind == [bos, "a"]:
        options["add_prefix_space"] = False


def _token(raw: Any) -> str:
    return str(raw.get("content")) if isinstance(raw, dict) else str(raw)


def _pad(tokenizer: dict[str, Any], size: int) -> None:
    """Give every row of the embeddings a token, if there is one for bytes.

    Of byte-level tokenizers the converter itself knows how.
    """
    model = tokenizer.get("model", {})
    if not model.get("byte_fallback"):
        return
    added = tokenizer.setdefault("added_tokens", [])
    taken = {*model.get("vocab", {}).values(), *(token["id"] for token in added)}
    added += [
        {
            "id": number,
            "content": f"[PAD{number}]",
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "special": True,
        }
        for number in range(size)
        if number not in taken
    ]


def _without_code(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_code(v) for k, v in value.items() if k != "auto_map"}
    if isinstance(value, list):
        return [_without_code(one) for one in value]
    return value


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise TrainingError(f"{path} is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise TrainingError(f"{path} holds no JSON object")
    return found


def _write(path: Path, value: Any) -> None:
    path.unlink(missing_ok=True)  # never through a link into the model
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
