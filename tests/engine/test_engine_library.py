"""A libllama that is missing, broken or of another version is named with the cure."""

from __future__ import annotations

import ctypes
import os
import sys
from types import SimpleNamespace

import pytest

from homellm_edge.engine.library import bind_library, load_library
from homellm_edge.errors import EngineError


def copy_of_calls() -> SimpleNamespace:
    return SimpleNamespace(**vars(load_library().calls))


def test_the_installed_library() -> None:
    library = load_library()
    assert library.path.name == "libllama.so"
    assert library.version
    library.errors.clear()
    assert library.why() == "no reason given"
    assert os.environ["OMP_WAIT_POLICY"]


def test_a_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "llama_cpp", None)
    monkeypatch.delitem(sys.modules, "llama_cpp.llama_cpp", raising=False)
    with pytest.raises(EngineError, match=r"llama_cpp.* is missing; pip install llama"):
        load_library.__wrapped__()


def test_no_library_in_the_package() -> None:
    with pytest.raises(EngineError, match="no loaded library"):
        bind_library(SimpleNamespace())


@pytest.mark.parametrize("name", ["llama_init_from_model", "llama_vocab_type"])
def test_a_missing_call(name: str) -> None:
    calls = copy_of_calls()
    delattr(calls, name)
    with pytest.raises(EngineError, match=rf"{name}.*; pip install llama-cpp-python=="):
        bind_library(calls)


def test_a_missing_function() -> None:
    calls = copy_of_calls()
    calls._lib = ctypes.CDLL(None)  # a library, but not libllama
    with pytest.raises(EngineError, match=r"no function llama_decode"):
        bind_library(calls)


def test_a_struct_that_changed() -> None:
    calls = copy_of_calls()
    fields = [("flags", ctypes.c_void_p), *calls.llama_batch._fields_]
    calls.llama_batch = type("llama_batch", (ctypes.Structure,), {"_fields_": fields})
    with pytest.raises(EngineError, match="llama_batch has 64 bytes, not 56"):
        bind_library(calls)
    fields = [*calls.llama_batch._fields_[1:3], ("x", ctypes.c_void_p)]
    fields += calls.llama_batch._fields_[4:]
    calls.llama_batch = type("llama_batch", (ctypes.Structure,), {"_fields_": fields})
    with pytest.raises(EngineError, match="llama_batch has field embd at offset None"):
        bind_library(calls)
