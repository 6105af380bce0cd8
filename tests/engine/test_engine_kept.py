"""Small facts in a file: kept, bounded, and never a reason to fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from homellm_edge.engine.kept import Kept


def test_facts_stay_and_the_oldest_go(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "facts.json"
    for number in range(40):
        Kept(path).put(f"k{number}", f"v{number}")
    assert Kept(path).get("k39") == "v39"
    assert Kept(path).get("k0") is None
    assert Kept(path).get("k8") == "v8"
    Kept(path).put("k8", "new")
    Kept(path).put("k40", "v40")
    assert Kept(path).get("k8") == "new"
    assert [file.name for file in path.parent.iterdir()] == ["facts.json"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a": 1}', "\0" * 99, "x" * 100_000])
def test_what_cannot_be_read_is_empty(tmp_path: Path, text: str) -> None:
    path = tmp_path / "facts.json"
    path.write_text(text)
    assert Kept(path).get("a") is None
    Kept(path).put("a", "b")
    assert Kept(path).get("a") == "b"


def test_what_cannot_be_written_is_not_kept(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    kept = Kept(tmp_path / "file" / "facts.json")
    kept.put("a", "b")
    assert kept.get("a") is None
