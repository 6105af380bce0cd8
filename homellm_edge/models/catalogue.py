"""What is known of models that do not say it themselves."""

from __future__ import annotations

import functools
import json
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_name("catalogue.json")
_EXAMPLES = 3
"""More make a prompt longer that a Pi has to read while somebody waits."""


def known_plan(architecture: str, name: str) -> str:
    """The KV plan of a model by architecture and name, "" if it is not listed.

    The first entry that fits counts; `name` is compared in lower case.
    """
    for entry in _entries():
        if fnmatchcase(architecture, entry["architecture"]) and fnmatchcase(
            name.lower(), entry.get("name", "*")
        ):
            return entry["kv_plan"]
    return ""


def usual_examples(name: str, *, trained_here: bool = False) -> int:
    """How many example exchanges a model is shown that is asked in `chatml`.

    None if it was trained for the task: by this project, which its metadata say
    (`trained_here`), or by the seed's, which its name says.
    """
    trained = trained_here or any(
        fnmatchcase(name.lower(), pattern) for pattern in _catalogue()["trained"]
    )
    return 0 if trained else _EXAMPLES


@functools.cache
def _catalogue() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(_FILE.read_text(encoding="utf-8"))
    return read


@functools.cache
def _entries() -> tuple[dict[str, str], ...]:
    return tuple(_catalogue()["models"])
