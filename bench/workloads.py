"""What is measured: three grammars, replies that they accept, three vocabularies."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path

from homellm_edge.grammar import home_grammar
from homellm_edge.home import load_home

HERE = Path(__file__).parent

GRAMMARS = ("generic", "home", "json")

VOCABULARIES = {
    "32k": "ggml-vocab-llama-spm.gguf",
    "50k": "ggml-vocab-gpt-2.gguf",
    "152k": "ggml-vocab-qwen2.gguf",
}
"""Name -> file that scripts/vocabularies fetches."""


@cache
def grammar_text(name: str) -> str:
    """The GBNF text of a grammar; `home` is made from the 60 entities of home.json."""
    if name == "home":
        return home_grammar(load_home(HERE / "home.json"))
    found = next(
        folder / f"{name}.gbnf"
        for folder in (HERE / "grammars", HERE.parent / "grammars")
        if (folder / f"{name}.gbnf").exists()
    )
    return found.read_text(encoding="utf-8")


@cache
def changed_home_text() -> str:
    """The `home` grammar after one of the 60 entities got another id."""
    return grammar_text("home").replace("light.reading_lamp", "light.floor_lamp")


@cache
def samples(name: str) -> tuple[str, ...]:
    """Replies that the grammar accepts, 20 or more."""
    data = json.loads((HERE / "samples.json").read_text(encoding="utf-8"))
    return tuple(data[name])


def vocabulary_path(name: str) -> Path:
    """Where the vocabulary's file is, if scripts/vocabularies has been run."""
    cache_folder = os.environ.get("HOMELLM_EDGE_CACHE")
    root = Path(cache_folder or Path.home() / ".cache" / "homellm-edge")
    return root / "vocabularies" / VOCABULARIES[name]
