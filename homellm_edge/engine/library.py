"""The libllama that llama_cpp brings: loaded once, checked, logging to `logging`."""

from __future__ import annotations

import ctypes
import functools
import importlib
import logging
import os
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from homellm_edge import _llama_decode
from homellm_edge.errors import EngineError

TESTED_VERSION = "0.3.36"
"""The llama-cpp-python release that this package is built and tested with."""

_ERRORS_KEPT = 20
_ERROR, _CONTINUED = 4, 5  # ggml's log levels
_STRUCTS = (
    "llama_batch",
    "llama_token_data",
    "llama_token_data_array",
    "llama_sampler_chain_params",
)
_CALLS = (
    "llama_backend_init",
    "llama_log_set",
    "llama_model_default_params",
    "llama_model_load_from_file",
    "llama_model_free",
    "llama_model_get_vocab",
    "llama_model_is_recurrent",
    "llama_model_is_hybrid",
    "llama_model_n_swa",
    "llama_model_has_decoder",
    "llama_context_default_params",
    "llama_init_from_model",
    "llama_free",
    "llama_vocab_type",
    "llama_vocab_get_add_bos",
    "llama_print_system_info",
    "llama_version",
)

_log = logging.getLogger("homellm_edge.engine")


@dataclass(frozen=True, slots=True)
class Library:
    """A loaded libllama.

    `calls` is the ctypes module `llama_cpp.llama_cpp`, `api` the same library for
    compiled code, `errors` the newest lines that llama.cpp logged as errors.
    """

    calls: Any
    api: _llama_decode.Api
    path: Path
    version: str
    errors: deque[str]
    log_callback: Any

    def why(self) -> str:
        """The first error since `errors` was cleared: later ones only repeat it."""
        return self.errors[0] if self.errors else "no reason given"


@functools.cache
def load_library() -> Library:
    """Load libllama through llama_cpp, once per process.

    Raises EngineError when it is missing, broken or of another version. On a processor
    that lacks its instructions the process dies: see `homellm_edge.engine.probe`.
    """
    # OpenMP reads this when it is loaded. Spinning threads on a busy machine make a
    # token up to a hundred times slower.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        calls = importlib.import_module("llama_cpp.llama_cpp")
    except ModuleNotFoundError as err:
        raise EngineError(
            f"Python module {err.name} is missing",
            f"pip install llama-cpp-python=={TESTED_VERSION}",
        ) from err
    except (ImportError, OSError, RuntimeError) as err:
        raise EngineError(
            f"llama_cpp cannot be loaded ({_one_line(err)})",
            f"install a build of llama-cpp-python=={TESTED_VERSION} for this system",
        ) from err
    return bind_library(calls)


def bind_library(calls: Any) -> Library:
    """Check and prepare a module with llama_cpp's ctypes interface."""
    shared = getattr(calls, "_lib", None)
    if not isinstance(shared, ctypes.CDLL):
        raise _other_version("llama_cpp.llama_cpp has no loaded library")
    for name in _CALLS:
        if not hasattr(calls, name):
            raise _other_version(f"llama_cpp has no {name}")
    try:
        api = _llama_decode.bind(_addresses(shared), _struct_layouts(calls))
    except ImportError as err:
        raise _other_version(str(err)) from err

    path = Path(shared._name)
    errors: deque[str] = deque(maxlen=_ERRORS_KEPT)
    callback = calls.llama_log_callback(_log_writer(errors))
    calls.llama_log_set(callback, ctypes.c_void_p(0))
    _load_backends(path.parent)
    calls.llama_backend_init()
    return Library(
        calls=calls,
        api=api,
        path=path,
        version=calls.llama_version().decode(errors="replace"),
        errors=errors,
        log_callback=callback,
    )


def _addresses(shared: ctypes.CDLL) -> dict[str, int]:
    found = {}
    for name in _llama_decode.FUNCTIONS:
        function = getattr(shared, name, None)
        if function is not None:
            found[name] = ctypes.cast(function, ctypes.c_void_p).value or 0
    return found


def _struct_layouts(calls: Any) -> dict[str, tuple[int, dict[str, int]]]:
    layouts = {}
    for name in _STRUCTS:
        struct = getattr(calls, name, None)
        if struct is not None:
            layouts[name] = (
                ctypes.sizeof(struct),
                {
                    field[0]: getattr(struct, field[0]).offset
                    for field in struct._fields_
                },
            )
    return layouts


def _load_backends(folder: Path) -> None:
    # A build with GGML_BACKEND_DL knows no processor code until it is told where the
    # variants lie; any other build has registered its own while loading.
    try:
        ggml = ctypes.CDLL(str(folder / "libggml.so"))
        count = ggml.ggml_backend_dev_count
        load_all = ggml.ggml_backend_load_all_from_path
    except (OSError, AttributeError):
        return
    count.restype = ctypes.c_size_t
    load_all.argtypes = [ctypes.c_char_p]
    load_all.restype = None
    if count() == 0:
        load_all(os.fsencode(folder))
    if count() == 0:
        raise EngineError(
            f"llama.cpp found no code for this processor in {folder}",
            "install a build of llama-cpp-python for this board",
        )


def _log_writer(kept: deque[str]) -> Callable[[int, bytes, object], None]:
    current = 0
    unfinished = ""

    def write(level: int, text: bytes, _user_data: object) -> None:
        # llama.cpp sends pieces of lines. All of it is for debugging: a cancelled turn
        # is an error there, and what matters reaches the user through `why`.
        nonlocal current, unfinished
        if level != _CONTINUED:
            current = level
        *lines, unfinished = (unfinished + text.decode(errors="replace")).split("\n")
        for line in lines:
            if current == _ERROR:
                kept.append(line.strip()[:500])
            _log.debug("llama.cpp: %s", line)

    return write


def _other_version(cause: str) -> EngineError:
    return EngineError(
        f"{cause}: not the version that this package is made for",
        f"pip install llama-cpp-python=={TESTED_VERSION}",
    )


def _one_line(err: BaseException) -> str:
    return " ".join(str(err).split())
