"""What is known of models that do not say it themselves."""

from __future__ import annotations

import functools
import json
from fnmatch import fnmatchcase
from pathlib import Path

_FILE = Path(__file__).with_name("catalogue.json")


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


@functools.cache
def _entries() -> tuple[dict[str, str], ...]:
    return tuple(json.loads(_FILE.read_text(encoding="utf-8"))["models"])
