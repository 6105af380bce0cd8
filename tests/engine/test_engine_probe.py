"""The probe: whatever happens to the child is a readable error in the parent."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path

import pytest

from gguf_factory import write_llama
from homellm_edge.engine import probe
from homellm_edge.engine.model import inspect_model
from homellm_edge.engine.probe import board_name, cpu_features, probe_model
from homellm_edge.errors import (
    CpuError,
    EngineError,
    HomellmEdgeError,
    ModelError,
    NotEnoughMemoryError,
)


def stub(path: Path, *commands: str) -> tuple[str]:
    """An interpreter that does as told instead of probing."""
    path.write_text("\n".join(["#!/bin/sh", *commands]))
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return (str(path),)


def said(stage: str) -> str:
    return f"echo '{json.dumps({'stage': stage})}'"


def test_a_good_model_passes_once(tiny_model: Path, tmp_path: Path) -> None:
    info = inspect_model(tiny_model)
    cache = tmp_path / "new" / "cache"
    assert probe_model(info, cache_dir=cache) is True
    assert probe_model(info, cache_dir=cache) is False
    copy = tmp_path / "copy.gguf"
    copy.write_bytes(tiny_model.read_bytes())
    assert probe_model(inspect_model(copy), cache_dir=cache) is True
    assert probe_model(info, cache_dir=cache) is False
    assert len(json.loads((cache / "probe.json").read_text())) == 2


def test_a_changed_model_is_probed_again(tiny_model: Path, tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(tiny_model.read_bytes())
    assert probe_model(inspect_model(path), cache_dir=tmp_path)
    write_llama(path, seed=1)
    assert probe_model(inspect_model(path), cache_dir=tmp_path)
    assert not probe_model(inspect_model(path), cache_dir=tmp_path)


def test_a_failure_is_not_remembered_as_passed(
    tiny_model: Path, tmp_path: Path
) -> None:
    info = inspect_model(tiny_model)
    broken = stub(tmp_path / "python", said("library"), "kill -ILL $$")
    for _ in range(2):
        with pytest.raises(CpuError):
            probe_model(info, cache_dir=tmp_path, interpreter=broken)
    assert probe_model(info, cache_dir=tmp_path)


@pytest.mark.parametrize(
    ("commands", "kind", "message"),
    [
        (
            [said("library"), "kill -ILL $$"],
            CpuError,
            r"lacks instructions .* \(SIGILL while loading llama.cpp\); install ",
        ),
        (
            [said("library"), said("model"), "kill -ILL $$"],
            CpuError,
            r"SIGILL while loading tiny.gguf",
        ),
        (
            [said("model"), "echo 'GGML_ASSERT(x) failed' >&2", "kill -ABRT $$"],
            ModelError,
            r"crashed \(SIGABRT\) while loading tiny.gguf: GGML_ASSERT\(x\) failed",
        ),
        ([said("decode"), "kill -SEGV $$"], ModelError, r"SIGSEGV\) while running"),
        ([said("library"), "kill -SEGV $$"], EngineError, r"SIGSEGV.*install"),
        ([said("model"), "kill -KILL $$"], NotEnoughMemoryError, "killed the probe"),
        (["echo nonsense", "exit 3"], EngineError, r"starting Python \(exit code 3\)"),
        (["echo 'no module' >&2", "exit 1"], EngineError, r"\(no module\)"),
        (["exit 0"], EngineError, "while starting Python"),
        ([said("context"), "exit 0"], EngineError, "while preparing tiny.gguf"),
        (["exec sleep 60"], EngineError, "took more than 1 s"),
    ],
)
def test_what_can_happen_to_the_child(
    tiny_model: Path,
    tmp_path: Path,
    commands: list[str],
    kind: type[HomellmEdgeError],
    message: str,
) -> None:
    interpreter = stub(tmp_path / "python", *commands)
    with pytest.raises(kind, match=message) as caught:
        probe_model(
            inspect_model(tiny_model),
            cache_dir=tmp_path,
            interpreter=interpreter,
            timeout=1.0 if "sleep" in commands[-1] else 60.0,
        )
    assert type(caught.value) is kind
    assert "\n" not in str(caught.value)


def test_an_interpreter_that_is_not_there(tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="no child process"):
        probe_model(
            inspect_model(tiny_model),
            cache_dir=tmp_path,
            interpreter=(str(tmp_path / "none"),),
        )


def test_an_unknown_architecture_is_named(tmp_path: Path) -> None:
    path = write_llama(tmp_path / "odd.gguf", architecture="no-such-thing")
    with pytest.raises(
        ModelError, match=r"architecture 'no-such-thing' \(.*unknown model architecture"
    ):
        probe_model(inspect_model(path), cache_dir=tmp_path)


def test_a_missing_tensor_is_named(tmp_path: Path) -> None:
    path = write_llama(tmp_path / "odd.gguf")
    path.write_bytes(path.read_bytes().replace(b"blk.1.attn_v", b"blk.1.attn_x"))
    with pytest.raises(ModelError, match=r"tensor 'blk.1.attn_v.weight' not found"):
        probe_model(inspect_model(path), cache_dir=tmp_path)


def test_weights_that_are_not_numbers(tmp_path: Path) -> None:
    path = write_llama(tmp_path / "nan.gguf")
    data = path.read_bytes()
    path.write_bytes(data[:-100_000] + b"\xff" * 100_000)
    with pytest.raises(EngineError, match="not numbers"):
        probe_model(inspect_model(path), cache_dir=tmp_path)


@pytest.mark.parametrize("place", range(40, 4000, 330))
def test_damaged_headers_end_as_errors(
    tiny_model: Path, tmp_path: Path, place: int
) -> None:
    data = bytearray(tiny_model.read_bytes())
    data[place] ^= 0x55
    path = tmp_path / "damaged.gguf"
    path.write_bytes(data)
    try:
        passed = probe_model(inspect_model(path), cache_dir=tmp_path)
    except EngineError:  # ModelError is one
        return
    assert passed


def test_a_damaged_or_unwritable_cache_only_costs_time(
    tiny_model: Path, tmp_path: Path
) -> None:
    info = inspect_model(tiny_model)
    for text in ("", "{", "[]", '{"passed": 3}', '{"a": [1, {}]}', "\0" * 99):
        (tmp_path / "probe.json").write_text(text)
        assert probe_model(info, cache_dir=tmp_path) is True
    assert probe_model(info, cache_dir=tmp_path) is False
    blocked = tmp_path / "file"
    blocked.touch()
    assert probe_model(info, cache_dir=blocked) is True


def test_a_broken_library_is_an_error(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "libllama.so").write_bytes(b"\x7fELF nonsense")
    monkeypatch.setenv("LLAMA_CPP_LIB_PATH", str(tmp_path))
    with pytest.raises(EngineError, match=r"cannot be loaded.*; install a build of"):
        probe_model(inspect_model(tiny_model), cache_dir=tmp_path)


def test_without_an_interpreter_there_is_no_probe(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "")
    assert probe_model(inspect_model(tiny_model), cache_dir=tmp_path) is False


def test_cpu_and_board(tmp_path: Path) -> None:
    assert cpu_features()
    proc = tmp_path / "proc"
    (proc / "device-tree").mkdir(parents=True)
    (proc / "cpuinfo").write_text(
        "processor : 0\nFeatures : fp asimd crc32\nCPU part : 0xd08\n\nprocessor : 1\n"
    )
    (proc / "device-tree/model").write_bytes(b"Raspberry Pi 4 Model B Rev 1.4\0")
    assert cpu_features(tmp_path) == ("asimd", "crc32", "fp")
    assert board_name(tmp_path) == "Raspberry Pi 4 Model B Rev 1.4"
    assert cpu_features(tmp_path / "none") == ()
    assert board_name(tmp_path / "none") == ""


def test_default_cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert probe.user_cache() == tmp_path / "homellm-edge"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert probe.user_cache() == tmp_path / ".cache/homellm-edge"
