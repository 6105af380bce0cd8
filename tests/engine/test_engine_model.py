"""Model files before they are loaded: damaged ones are named, never a crash."""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gguf_factory import write_llama
from homellm_edge.engine.model import (
    MIB,
    available_memory,
    check_memory,
    estimate_memory,
    inspect_model,
)
from homellm_edge.errors import ModelError, NotEnoughMemoryError

FUZZ = settings(
    deadline=None,
    max_examples=300,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def test_what_a_model_says_about_itself(tmp_path: Path) -> None:
    path = write_llama(
        tmp_path / "a.gguf",
        metadata={
            "general.name": "Tiny",
            "homellm.prompt_format": "grounded",
            "tokenizer.chat_template": "{{ messages }}",
        },
    )
    info = inspect_model(path)
    assert info.path == path
    assert info.file_bytes == path.stat().st_size
    assert (info.architecture, info.name) == ("llama", "Tiny")
    assert (info.n_layer, info.n_embd, info.n_ff) == (2, 64, 128)
    assert (info.n_head, info.n_head_kv) == (4, 2)
    assert (info.head_size_k, info.head_size_v) == (16, 16)
    assert (info.n_ctx_train, info.n_vocab) == (2048, 293)
    assert info.prompt_format == "grounded"
    assert info.chat_template == "{{ messages }}"
    assert info.sha256() == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_recurrent_model_has_no_heads(mamba_model: Path) -> None:
    info = inspect_model(mamba_model)
    assert (info.architecture, info.n_head, info.n_head_kv) == ("mamba", 0, 0)
    assert estimate_memory(info, 4096) > info.file_bytes


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "does not exist"),
        (lambda path: path.mkdir(), "is a folder"),
        (lambda path: path.touch(), "is empty"),
        (os.mkfifo, "not a regular file"),
        (lambda path: path.write_bytes(b"GG"), r"not a GGUF file.*b'GG'"),
        (lambda path: path.write_bytes(b"PK\3\4" * 99), "not a GGUF file"),
        (lambda path: path.write_bytes(b"GGUF\3\0"), "is cut off"),
        (
            lambda path: path.write_bytes(b"GGUF" + struct.pack("<IQQ", 1, 0, 0)),
            "sion 1",
        ),
        (
            lambda path: path.write_bytes(b"GGUF" + struct.pack(">IQQ", 3, 1, 1)),
            "version",
        ),
        (
            lambda path: path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 1 << 60, 0)),
            r"claims 1152921504606846976 tensors in 0 bytes",
        ),
        (
            lambda path: path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, 1 << 60)),
            r"claims 1152921504606846976 metadata values",
        ),
        (
            lambda path: path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, 0)),
            "does not name its architecture",
        ),
    ],
)
def test_files_that_are_no_model(
    tmp_path: Path, make: Callable[[Path], object], message: str
) -> None:
    path = tmp_path / "bad.gguf"
    make(path)
    with pytest.raises(ModelError, match=message):
        inspect_model(path)


def test_a_path_with_a_nul_byte() -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        inspect_model("a\0b")


def test_a_file_without_tensors_or_in_parts(tmp_path: Path) -> None:
    path = write_llama(tmp_path / "vocab.gguf", tensors=False)
    with pytest.raises(ModelError, match=r"no complete language model.* 0 tensors"):
        inspect_model(path)
    path = tmp_path / "split.gguf"
    path.write_bytes(_with_value("split.count", 2, struct.pack("<H", 3)))
    with pytest.raises(ModelError, match="one part of a split model"):
        inspect_model(path)


def _with_value(key: str, kind: int, data: bytes) -> bytes:
    def entry(key: str, kind: int, data: bytes) -> bytes:
        return (
            struct.pack("<Q", len(key)) + key.encode() + struct.pack("<I", kind) + data
        )

    name = entry("general.architecture", 8, struct.pack("<Q", 5) + b"llama")
    return b"GGUF" + struct.pack("<IQQ", 3, 0, 2) + name + entry(key, kind, data)


@pytest.mark.parametrize(
    ("kind", "data", "message"),
    [
        (8, struct.pack("<Q", 1 << 62), "is cut off"),
        (9, struct.pack("<IQ", 8, 1 << 40), "claims 1099511627776 strings"),
        (9, struct.pack("<IQ", 4, 1 << 40), "claims 1099511627776 numbers"),
        (9, struct.pack("<IQ", 9, 1), "unknown type 9"),
        (77, b"", "unknown type 77"),
        (4, struct.pack("<I", 1), "no complete language model"),
    ],
)
def test_metadata_that_lies(
    tmp_path: Path, kind: int, data: bytes, message: str
) -> None:
    path = tmp_path / "bad.gguf"
    path.write_bytes(_with_value("x", kind, data))
    with pytest.raises(ModelError, match=message):
        inspect_model(path)


def test_a_key_that_is_there_twice(tmp_path: Path) -> None:
    path = tmp_path / "bad.gguf"
    path.write_bytes(_with_value("general.architecture", 4, b"\1\0\0\0"))
    with pytest.raises(ModelError, match="there twice"):
        inspect_model(path)


@FUZZ
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_truncated_file_is_recognised(
    tiny_model: Path, tmp_path: Path, share: float
) -> None:
    data = tiny_model.read_bytes()
    path = tmp_path / "cut.gguf"
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(ModelError):
        inspect_model(path)


def test_a_file_one_byte_short(tiny_model: Path, tmp_path: Path) -> None:
    path = tmp_path / "cut.gguf"
    path.write_bytes(tiny_model.read_bytes()[:-1])
    with pytest.raises(ModelError, match=r"cut off: tensor 'output.weight' needs"):
        inspect_model(path)


@FUZZ
@given(
    flips=st.lists(
        st.tuples(st.integers(0, 12_000), st.integers(0, 255)), min_size=1, max_size=8
    )
)
def test_a_damaged_header_is_an_error_or_harmless(
    tiny_model: Path, tmp_path: Path, flips: list[tuple[int, int]]
) -> None:
    data = bytearray(tiny_model.read_bytes())
    for place, value in flips:
        data[place % len(data)] ^= value
    path = tmp_path / "flipped.gguf"
    path.write_bytes(data)
    try:
        info = inspect_model(path)
    except ModelError:
        return
    assert info.file_bytes == len(data)
    assert estimate_memory(info, 4096) > 0


@FUZZ
@given(data=st.binary(max_size=400))
def test_arbitrary_bytes_after_the_magic(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "noise.gguf"
    path.write_bytes(b"GGUF\3\0\0\0" + data)
    with pytest.raises(ModelError):
        inspect_model(path)


def test_memory_grows_with_context_and_type(tiny_model: Path) -> None:
    info = inspect_model(tiny_model)
    small = estimate_memory(info, 1024)
    # 2 layers, 2 heads, 16 + 16 wide, 2 bytes
    assert estimate_memory(info, 2048) - small == 1024 * 2 * 2 * 32 * 2
    assert estimate_memory(info, 1024, kv_type="f32") > small
    assert estimate_memory(info, 1024, kv_type="q8_0") < small
    assert estimate_memory(info, 1024, n_seq_max=17) > small
    assert estimate_memory(info, 1024, flash_attention=False) > small
    assert small > info.file_bytes


def test_check_memory() -> None:
    check_memory(100 * MIB, 100 * MIB)
    with pytest.raises(
        NotEnoughMemoryError,
        match=r"needs about 101 MiB, 99 MiB are free; use a smaller context",
    ):
        check_memory(100 * MIB + 1, 100 * MIB - 1)
    check_memory(1)
    with pytest.raises(NotEnoughMemoryError):
        check_memory(1 << 62)


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


MEMINFO = {"proc/meminfo": "MemTotal: 4000 kB\nMemAvailable:    3000 kB\n"}


def test_available_memory_of_the_kernel(tmp_path: Path) -> None:
    assert available_memory(tree(tmp_path, MEMINFO)) == 3000 * 1024
    assert available_memory(tmp_path / "nothing") > 1 << 50
    assert 0 < available_memory() < 1 << 50


def test_available_memory_of_a_cgroup(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        MEMINFO
        | {
            "proc/self/cgroup": "0::/a/b\n",
            "sys/fs/cgroup/a/memory.max": "2000000\n",
            "sys/fs/cgroup/a/memory.current": "1500000\n",
            "sys/fs/cgroup/a/memory.stat": "anon 1\ninactive_file 300000\n",
            "sys/fs/cgroup/a/b/memory.max": "max\n",
            "sys/fs/cgroup/a/b/memory.current": "7\n",
        },
    )
    assert available_memory(root) == 800_000


def test_available_memory_of_an_old_cgroup(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        MEMINFO
        | {
            "proc/self/cgroup": "5:cpu,memory:/docker/x\n1:name=systemd:/\n",
            # a container sees its own group at the top
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "1000000\n",
            "sys/fs/cgroup/memory/memory.usage_in_bytes": "900000\n",
            "sys/fs/cgroup/memory/memory.stat": "total_inactive_file 5\n",
        },
    )
    assert available_memory(root) == 100_005
