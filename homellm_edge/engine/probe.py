"""Loads library and model in a child process first: a crash there is an error here.

An illegal instruction, an abort in llama.cpp or a broken file would end Home Assistant.
What passed is remembered by library, model and processor, so that the next start
costs nothing.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from homellm_edge.engine.kept import Kept
from homellm_edge.engine.model import ModelInfo
from homellm_edge.errors import (
    CpuError,
    EngineError,
    HomellmEdgeError,
    ModelError,
    NotEnoughMemoryError,
)

TIMEOUT = 180.0
"""Seconds a child may take; a large model on an SD card needs a minute or two."""

_CHILD = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from homellm_edge.engine.probe_child import main; main(sys.argv[2])"
)
_CACHE_FILE = "probe.json"
_CPU_FIELDS = ("flags", "Features", "model name", "CPU part", "CPU implementer")

_log = logging.getLogger(__name__)


def probe_model(
    info: ModelInfo,
    *,
    cache_dir: str | os.PathLike[str] | None = None,
    timeout: float = TIMEOUT,
    interpreter: Sequence[str] | None = None,
) -> bool:
    """Load the model in a child process, unless exactly that passed before.

    Returns whether a child was started. `interpreter` is the command that runs Python,
    by default this one. Raises CpuError, ModelError, NotEnoughMemoryError, EngineError.
    """
    if interpreter is None:
        if not sys.executable:
            _log.debug("no Python interpreter to probe with; going on without")
            return False
        interpreter = (sys.executable,)
    kept = Kept(Path(cache_dir or user_cache()) / _CACHE_FILE)
    key = _fingerprint(info)
    if key is not None and kept.get(key):
        return False
    _run_child(info, tuple(interpreter), timeout)
    if key is not None:
        kept.put(key, "passed")
    return True


def cpu_features(root: Path = Path("/")) -> tuple[str, ...]:
    """Instruction sets of this processor as Linux names them, sorted."""
    for field in ("flags", "Features"):
        if value := _cpu_info(root).get(field):
            return tuple(sorted(set(value.split())))
    return ()


def board_name(root: Path = Path("/")) -> str:
    """Name of the board or processor, for people; empty when unknown."""
    try:
        model = (root / "proc/device-tree/model").read_bytes()
        return model.rstrip(b"\0").decode(errors="replace").strip()
    except OSError:
        return _cpu_info(root).get("model name", "")


def user_cache() -> Path:
    """The folder where a person's own caches of this package lie."""
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        folder = Path(base) if base else Path.home() / ".cache"
    except RuntimeError:  # no home folder
        folder = Path(tempfile.gettempdir())
    return folder / "homellm-edge"


def _run_child(info: ModelInfo, interpreter: tuple[str, ...], timeout: float) -> None:
    paths = json.dumps([path for path in sys.path if path])
    try:
        # -I: neither the current folder nor the user's own modules come in
        done = subprocess.run(  # noqa: S603 - our own interpreter, no shell
            [*interpreter, "-I", "-c", _CHILD, paths, str(info.path)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise EngineError(
            f"loading {info.path.name} took more than {timeout:.0f} s",
            "use a smaller model or faster storage",
        ) from None
    except OSError as err:
        raise EngineError(f"no child process could be started ({err})") from err
    error = _verdict(info, done.returncode, done.stdout, done.stderr)
    if error is not None:
        raise error


def _verdict(
    info: ModelInfo, code: int, stdout: bytes, stderr: bytes
) -> HomellmEdgeError | None:
    report = _last_report(stdout)
    stage = report.get("stage", "start")
    doing = {
        "start": "while starting Python",
        "library": "while loading llama.cpp",
        "model": f"while loading {info.path.name}",
        "context": f"while preparing {info.path.name}",
        "decode": f"while running {info.path.name}",
        "done": "at its end",
    }.get(stage, "")
    reason = report.get("error") or _last_line(stderr)
    if code == 0 and stage == "done":
        return None
    if code < 0:
        number = -code
        name = signal.Signals(number).name if number in _SIGNALS else f"signal {number}"
        if number == signal.SIGILL:
            return CpuError(
                f"this processor lacks instructions that llama.cpp was built for "
                f"({name} {doing})",
                "install a build of llama-cpp-python for this board",
            )
        if number == signal.SIGKILL:
            return NotEnoughMemoryError(
                f"the system killed the probe {doing}, probably for lack of memory",
                "use a smaller context or a smaller model",
            )
        cause = f"llama.cpp crashed ({name}) {doing}"
        cause = f"{cause}: {reason}" if reason else cause
        if stage == "library":
            return EngineError(cause, "install llama-cpp-python again")
        return ModelError(cause, "download the model again or use another")
    if stage == "model":
        return ModelError(
            f"llama.cpp cannot load {info.path.name}, architecture "
            f"{info.architecture[:40]!r} ({reason or 'no reason given'})",
            "use a model that this version of llama.cpp supports",
        )
    cause = f"the engine failed {doing} ({reason or f'exit code {code}'})"
    return EngineError(cause, report.get("cure", ""))


_SIGNALS = frozenset(int(number) for number in signal.Signals)


def _last_report(stdout: bytes) -> dict[str, str]:
    for line in reversed(stdout.decode(errors="replace").splitlines()):
        try:
            report = json.loads(line)
        except ValueError:
            continue
        if isinstance(report, dict):
            return {str(key): str(value)[:500] for key, value in report.items()}
    return {}


def _last_line(stderr: bytes) -> str:
    lines = [line.strip() for line in stderr.decode(errors="replace").splitlines()]
    return next((line[:300] for line in reversed(lines) if line), "")


def _fingerprint(info: ModelInfo) -> str | None:
    spec = find_spec("llama_cpp")
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(next(iter(spec.submodule_search_locations)))
    override = os.environ.get("LLAMA_CPP_LIB_PATH")
    libraries = sorted(
        [*(Path(override) if override else folder / "lib").glob("*.so*")]
    )
    parts: list[object] = [*sorted(_cpu_info(Path("/")).items())]
    for path in (*libraries, folder / "llama_cpp.py", info.path.absolute()):
        try:
            status = path.stat()
        except OSError:
            return None
        parts.append((str(path), status.st_size, status.st_mtime_ns))
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _cpu_info(root: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    try:
        text = (root / "proc/cpuinfo").read_text(errors="replace")
    except OSError:
        return found
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon and name.strip() in _CPU_FIELDS:
            found.setdefault(name.strip(), value.strip())
    return found
