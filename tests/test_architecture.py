"""Arrows between the parts go one way."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

import homellm_edge

ROOT = Path(homellm_edge.__file__).parent
REPOSITORY = ROOT.parent

LEAVES = {"errors", "home", "services", "language", "execute", "_similarity"}
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "home": {"errors"},
    "services": {"errors", "home"},
    "language": set(),
    "text": set(),
    "translation": {"errors", "text", "_similarity"},
    "agreement": {"text", "translation"},
    "scopes": {"home", "language"},
    "queries": {*LEAVES, "speech"},
    "lookups": {*LEAVES, "queries", "speech"},
    "execute": {"home", "services", "lookups", "queries"},
    "timers": {"lookups"},
    "undo": {"errors", "home", "services"},
    "phrases": {"errors", "home"},
    "encoder": {"errors", "engine.library", "engine.model"},
    "meaning": {
        "encoder", "grounding", "home", "language", "phrases", "text",
    },
    "word_hints": {"grounding", "home", "meaning", "phrases"},
    "models": set(),
    "prompt": {*LEAVES, "phrases"},
    "grounding": {*LEAVES, "phrases", "text", "translation"},
    "grammar": {*LEAVES, "_assembler", "_gbnf", "_lalr"},
    "stream": {*LEAVES, "_gbnf"},
    "speech": LEAVES,
    "kv": {
        "errors", "prompt.blocks", "prompt.fitting", "_llama_decode", "_prompt_diff",
    },
    "engine": {
        "errors", "engine", "kv", "grammar.constraint", "grammar.keeping",
        "grammar.tokens", "models.catalogue", "prompt.blocks", "__version__",
        "_llama_decode",
    },
    "policy": {*LEAVES, "grounding"},
    "simulate": {*LEAVES, "lookups", "queries", "timers"},
    "dialects": {
        *LEAVES, "dialects", "engine.base", "grammar", "grounding", "phrases", "prompt",
        "queries", "scopes", "speech", "text",
    },
    "agent": {
        *LEAVES, "agreement", "dialects", "engine.base", "grounding", "lookups",
        "meaning", "policy", "prompt", "queries", "speech", "stream", "undo",
    },
}  # fmt: skip


def _part(path: Path) -> str:
    return path.relative_to(ROOT).with_suffix("").parts[0]


def _imports(path: Path) -> set[str]:
    """Our own modules that a file imports, as dotted names below the package."""
    package = ["homellm_edge", *path.relative_to(ROOT).parts[:-1]]
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom):
            up = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*up, *([node.module] if node.module else [])])
            found |= {f"{base}.{alias.name}" for alias in node.names} | {base}
    prefix = "homellm_edge."
    return {name.removeprefix(prefix) for name in found if name.startswith(prefix)}


SOURCES = sorted(p for p in ROOT.rglob("*.py") if _part(p) in ALLOWED)


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_part_imports_only_what_lies_below_it(path: Path) -> None:
    part = _part(path)
    allowed = ALLOWED[part] | {part}
    for name in _imports(path):
        top = name.partition(".")[0]
        ok = top in allowed or any(
            name == a or name.startswith(f"{a}.") for a in allowed
        )
        assert ok, f"{path.relative_to(ROOT)} imports {name}"


def test_nothing_in_the_library_imports_home_assistant() -> None:
    for path in ROOT.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert "import homeassistant" not in text, path
        assert "from homeassistant" not in text, path


def test_only_the_engine_imports_llama_cpp() -> None:
    for path in ROOT.rglob("*.py"):
        if "llama_cpp" in path.read_text(encoding="utf-8"):
            assert _part(path) in ("engine", "cli", "doctor"), path


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_module_can_be_imported_alone_and_says_what_it_is_for(
    path: Path,
) -> None:
    parts = ["homellm_edge", *path.relative_to(ROOT).with_suffix("").parts]
    module = importlib.import_module(".".join(p for p in parts if p != "__init__"))
    assert module.__doc__


def test_version_is_the_same_everywhere() -> None:
    import json

    manifest = REPOSITORY / "custom_components" / "homellm_edge" / "manifest.json"
    assert json.loads(manifest.read_text())["version"] == homellm_edge.__version__
    changelog = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    assert homellm_edge.__version__ in changelog
