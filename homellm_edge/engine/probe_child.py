"""What the child process of a probe does: load, decode one token, report in JSON lines.

Every stage is announced before it begins, so that the parent knows how far it came.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import resource
import sys
import types
from array import array
from pathlib import Path
from typing import Any

from homellm_edge._llama_decode import Decoder
from homellm_edge.engine.library import Library, load_library
from homellm_edge.errors import HomellmEdgeError

_CONTEXT = 64


def main(model: str) -> None:
    """Probe one model file; the exit status is 0 when everything worked."""
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a crash leaves no core file
    report = _Report()
    try:
        report.stage("library")
        _skip_package_code()
        library = load_library()
        _load(report, library, Path(model))
    except HomellmEdgeError as err:
        report.fail(err.cause, err.cure)
    report.stage("done")


def _load(report: _Report, library: Library, path: Path) -> None:
    calls = library.calls
    report.stage("model")
    params = calls.llama_model_default_params()
    params.n_gpu_layers = 0
    model = calls.llama_model_load_from_file(os.fsencode(path), params)
    if not model:
        report.fail(library.why())
    if not calls.llama_model_has_decoder(model):
        report.fail("it has no decoder")
    report.stage("context")
    settings = calls.llama_context_default_params()
    settings.n_ctx = settings.n_batch = settings.n_ubatch = _CONTEXT
    settings.n_outputs_max = 1
    settings.n_threads = settings.n_threads_batch = 1
    context = calls.llama_init_from_model(model, settings)
    if not context:
        report.fail(library.why())
    report.stage("decode")
    vocab = calls.llama_model_get_vocab(model)
    decoder = Decoder(library.api, context, vocab, _CONTEXT)
    done, code = decoder.prefill(array("i", [0]), 0, want_logits=True)
    if not done:
        report.fail(f"llama_decode returned {code}")
    if not all(logit - logit == 0 for logit in decoder.logits()[:64]):
        report.fail("the model computes values that are not numbers")


class _Report:
    """Writes JSON lines to standard output, unbuffered."""

    def stage(self, name: str) -> None:
        self._stage = name
        self._write({"stage": name})

    def fail(self, error: str, cure: str = "") -> None:
        self._write({"stage": self._stage, "error": error, "cure": cure})
        sys.stdout.flush()
        os._exit(1)

    def _write(self, data: dict[str, Any]) -> None:
        print(json.dumps(data), flush=True)


def _skip_package_code() -> None:
    # Only llama_cpp.llama_cpp is needed. The package's own __init__ brings numpy,
    # jinja2 and more, which is most of the time that a probe takes.
    spec = importlib.util.find_spec("llama_cpp")
    if spec is None or spec.submodule_search_locations is None:
        return
    package = types.ModuleType("llama_cpp")
    package.__path__ = list(spec.submodule_search_locations)
    sys.modules["llama_cpp"] = package
