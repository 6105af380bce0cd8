"""Small facts in a file of the cache folder: text -> text, the newest ones.

All of it can be found out again: what cannot be read is empty, what cannot be written
is not kept.
"""

from __future__ import annotations

import json
import logging
import tempfile
from pathlib import Path

_MAX_BYTES = 1 << 16
_MAX_ENTRIES = 32

_log = logging.getLogger(__name__)


class Kept:
    """The facts of one file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def get(self, key: str) -> str | None:
        """What is known of a key."""
        return self._read().get(key)

    def put(self, key: str, value: str) -> None:
        """Keep a fact; the oldest of too many goes."""
        known = self._read()
        known.pop(key, None)
        known[key] = value
        newest = dict(list(known.items())[-_MAX_ENTRIES:])
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(
                "w", dir=self._path.parent, prefix=f".{self._path.stem}-", delete=False
            ) as file:
                temporary = Path(file.name)
                json.dump(newest, file)
            temporary.replace(self._path)
        except OSError as err:
            _log.debug("cannot write %s: %s", self._path, err)

    def _read(self) -> dict[str, str]:
        try:
            if self._path.stat().st_size > _MAX_BYTES:
                return {}
            data = json.loads(self._path.read_text())
        except (OSError, ValueError):
            return {}
        if not isinstance(data, dict):
            return {}
        return {key: value for key, value in data.items() if isinstance(value, str)}
