"""What a saved piece of KV cache depends on, as a digest: it fits nothing else."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from homellm_edge.engine.kept import Kept
from homellm_edge.engine.library import Library
from homellm_edge.engine.model import ModelInfo

_DIGESTS_FILE = "model-digests.json"
_VERDICTS_FILE = "kv-gate.json"


def cache_identity(
    info: ModelInfo, library: Library, cache_dir: Path, settings: dict[str, object]
) -> bytes:
    """32 bytes that differ when model, engine build, processor code or settings do.

    `settings` are those of the context that change the numbers or their layout.
    """
    build = hashlib.sha256()
    for path in sorted(library.path.parent.glob("*.so*")):
        build.update(path.name.encode())
        build.update(path.read_bytes())
    parts = {
        "model": model_digest(info, cache_dir),
        "engine": build.hexdigest(),
        "system": library.calls.llama_print_system_info().decode(errors="replace"),
        "settings": {name: repr(value) for name, value in settings.items()},
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).digest()


def model_digest(info: ModelInfo, cache_dir: Path) -> str:
    """Hash of the whole model file; remembered as long as the file is untouched."""
    status = info.path.stat()
    key = (
        f"{info.path.absolute()} {status.st_size} {status.st_mtime_ns} {status.st_ino}"
    )
    kept = Kept(cache_dir / _DIGESTS_FILE)
    found = kept.get(key)
    if found is None:
        found = info.sha256()
        kept.put(key, found)
    return found


def verdicts(cache_dir: Path) -> Kept:
    """Which models (by digest) passed the gate of which KV plan."""
    return Kept(cache_dir / _VERDICTS_FILE)
