"""The index of phrases: near ones found, kept in a file, no stale or damaged ones."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from homellm_edge.encoder import (
    PhraseIndex,
    PhraseIndexError,
    StaleIndexError,
    phrases_digest,
)
from homellm_edge.encoder.encoder import Encoder, Vectors

COUNT = 1300
PHRASES = [f"phrase {i}" for i in range(COUNT)]
MEANINGS = [f"meaning {i % 7}" for i in range(COUNT)]


class Random:
    """Gives each text its own direction."""

    digest = "f" * 64

    def encode(self, texts: Sequence[str]) -> Vectors:
        rows = [
            np.random.default_rng(list(text.encode())).normal(size=384)
            for text in texts
        ]
        vectors = np.array(rows, np.float32).reshape(len(texts), 384)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def index() -> PhraseIndex:
    return PhraseIndex.build(Random(), PHRASES, MEANINGS)


@pytest.fixture
def saved(index: PhraseIndex, tmp_path: Path) -> Path:
    path = tmp_path / "phrases.npz"
    index.save(path)
    return path


def test_nearest_are_those_of_exact_vectors(index: PhraseIndex) -> None:
    exact = Random().encode(PHRASES)
    for text in ("phrase 7", "phrase 1299", "another"):
        (vector,) = Random().encode([text])
        cosines = exact @ vector
        found = index.nearest(vector, 5)
        assert found[0][0] == cosines.argmax()
        assert [cosine for _, cosine in found] == sorted(
            (cosine for _, cosine in found), reverse=True
        )
        for number, cosine in found:
            assert cosine == pytest.approx(float(cosines[number]), abs=2e-3)
        assert np.abs(index.similarities(vector) - cosines).max() < 2e-3


def test_a_phrase_is_nearest_to_itself(index: PhraseIndex) -> None:
    (vector,) = Random().encode(["phrase 600"])
    ((number, cosine),) = index.nearest(vector, 1)
    assert index.phrases[number] == "phrase 600"
    assert index.meanings[number] == MEANINGS[600]
    assert cosine == pytest.approx(1, abs=1e-3)
    assert index.nearest(vector * 100, 1)[0][1] == pytest.approx(cosine, abs=1e-6)


def test_equals_come_in_order() -> None:
    index = PhraseIndex.build(Random(), ["b", "a", "a", "a"], ["1", "2", "3", "4"])
    (vector,) = Random().encode(["a"])
    assert [number for number, _ in index.nearest(vector, 2)] == [1, 2]


def test_more_than_there_are_and_none(index: PhraseIndex) -> None:
    (vector,) = Random().encode(["a"])
    assert len(index.nearest(vector, 10**6)) == COUNT
    assert index.nearest(vector, 0) == []
    empty = PhraseIndex.build(Random(), [], [])
    assert empty.nearest(vector, 3) == []
    assert index.nearest(np.zeros(384, np.float32), 1)[0][1] == 0


def test_another_width(index: PhraseIndex) -> None:
    with pytest.raises(PhraseIndexError, match="384"):
        index.nearest(np.ones(10, np.float32), 1)


def test_each_phrase_has_a_meaning() -> None:
    with pytest.raises(PhraseIndexError, match="2 phrases have 1 meanings"):
        PhraseIndex.build(Random(), ["a", "b"], ["1"])


def test_round_trip(index: PhraseIndex, saved: Path) -> None:
    digest = phrases_digest(PHRASES, MEANINGS)
    again = PhraseIndex.load(saved, encoder=Random.digest, phrases=digest)
    assert again.phrases == tuple(PHRASES)
    assert again.meanings == tuple(MEANINGS)
    assert (again.rows == index.rows).all()
    assert (again.scales == index.scales).all()
    first = saved.read_bytes()
    again.save(saved)
    assert saved.read_bytes() == first
    assert list(saved.parent.iterdir()) == [saved]


def test_round_trip_of_nothing_and_of_any_text(tmp_path: Path) -> None:
    for phrases in ([], ["", "Küche \ud800 \0", "厨房"]):
        index = PhraseIndex.build(Random(), [""] * len(phrases), phrases)
        index.save(tmp_path / "a.npz")
        again = PhraseIndex.load(tmp_path / "a.npz", encoder=Random.digest)
        assert again.meanings == tuple(phrases)


def test_another_encoder(saved: Path) -> None:
    with pytest.raises(StaleIndexError, match="another encoder"):
        PhraseIndex.load(saved, encoder="0" * 64)


@pytest.mark.parametrize(
    ("phrases", "meanings"),
    [
        (PHRASES[1:], MEANINGS[1:]),
        (PHRASES[::-1], MEANINGS[::-1]),
        (PHRASES, ["other", *MEANINGS[1:]]),
    ],
    ids=["fewer", "reordered", "other meaning"],
)
def test_other_phrases(saved: Path, phrases: list[str], meanings: list[str]) -> None:
    digest = phrases_digest(phrases, meanings)
    with pytest.raises(StaleIndexError, match="other phrases"):
        PhraseIndex.load(saved, encoder=Random.digest, phrases=digest)


def test_the_digest_tells_texts_apart() -> None:
    assert phrases_digest(["ab"], ["c"]) != phrases_digest(["a"], ["bc"])
    assert phrases_digest(["a", "b"], ["c", "d"]) != phrases_digest(["a,b"], ["c,d"])


def test_a_missing_file_and_a_folder_that_is_not_there(
    index: PhraseIndex, tmp_path: Path
) -> None:
    path = tmp_path / "none" / "phrases.npz"
    with pytest.raises(PhraseIndexError, match="does not exist; build it"):
        PhraseIndex.load(path, encoder=Random.digest)
    with pytest.raises(PhraseIndexError, match="cannot be written"):
        index.save(path)


@pytest.mark.parametrize("place", [0, 0.001, 0.3, 0.7, 0.999])
def test_a_damaged_byte_or_a_cut(saved: Path, place: float) -> None:
    data = bytearray(saved.read_bytes())
    at = int(len(data) * place)
    saved.write_bytes(data[:at])
    with pytest.raises(PhraseIndexError, match=r"damaged.*made anew"):
        PhraseIndex.load(saved, encoder=Random.digest)
    data[at] ^= 0xFF
    saved.write_bytes(data)
    try:  # a date in the file may be anything
        again = PhraseIndex.load(saved, encoder=Random.digest)
    except PhraseIndexError:
        return
    assert again.phrases == tuple(PHRASES)


def parts(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def pickled(data: dict[str, np.ndarray]) -> None:
    data["rows"] = np.array([{"a": 1}], object)


def fewer(data: dict[str, np.ndarray]) -> None:
    data["rows"] = data["rows"][:-1]


def flat(data: dict[str, np.ndarray]) -> None:
    data["rows"] = data["rows"].reshape(-1)


def doubles(data: dict[str, np.ndarray]) -> None:
    data["scales"] = data["scales"].astype(float)


def not_numbers(data: dict[str, np.ndarray]) -> None:
    data["scales"] = data["scales"] * np.float32("nan")


def longer(data: dict[str, np.ndarray]) -> None:
    data["scales"] = data["scales"] * 2


def extra(data: dict[str, np.ndarray]) -> None:
    data["more"] = data["scales"]


def no_json(data: dict[str, np.ndarray]) -> None:
    data["about"] = data["about"][:-1]


def deep_json(data: dict[str, np.ndarray]) -> None:
    data["about"] = np.frombuffer(b"[" * 200_000, np.uint8)


def about(**changes: object) -> Callable[[dict[str, np.ndarray]], None]:
    def change(data: dict[str, np.ndarray]) -> None:
        text = json.loads(data["about"].tobytes()) | changes
        data["about"] = np.frombuffer(json.dumps(text).encode(), np.uint8)

    return change


@pytest.mark.parametrize(
    "change",
    [
        pickled, fewer, flat, doubles, not_numbers, longer, extra, no_json, deep_json,
        about(format=2), about(phrases=1), about(phrases=[1] * COUNT),
        about(meanings=["x"]), about(digest="x"), about(phrases=["x"] * COUNT),
    ],
)  # fmt: skip
def test_a_file_made_by_others(
    saved: Path, change: Callable[[dict[str, np.ndarray]], None]
) -> None:
    data = parts(saved)
    change(data)
    np.savez(saved, **data)
    with pytest.raises(PhraseIndexError, match="damaged"):
        PhraseIndex.load(saved, encoder=Random.digest)


def test_nothing_is_unpickled(saved: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
            return (pytest.fail, ("unpickled",))

    saved.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(PhraseIndexError, match="damaged"):
        PhraseIndex.load(saved, encoder=Random.digest)


def test_a_claim_of_more_than_memory_holds(saved: Path) -> None:
    data = parts(saved)
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "|i1", "fortran_order": False, "shape": (1 << 40, 384)}
    )
    with zipfile.ZipFile(saved, "w") as archive:
        archive.writestr("rows.npy", header.getvalue())
        for name in ("about", "scales"):
            member = io.BytesIO()
            np.save(member, data[name])
            archive.writestr(f"{name}.npy", member.getvalue())
    with pytest.raises(PhraseIndexError, match="damaged"):
        PhraseIndex.load(saved, encoder=Random.digest)


def test_with_the_real_encoder(encoder: Encoder, tmp_path: Path) -> None:
    phrases = ["turn on the lights", "close the blinds", "lock the door"]
    index = PhraseIndex.build(encoder, phrases, ["on", "close", "lock"])
    index.save(tmp_path / "a.npz")
    again = PhraseIndex.load(tmp_path / "a.npz", encoder=encoder.digest)
    (vector,) = encoder.encode(["shut the shutters please"])
    ((number, cosine),) = again.nearest(vector, 1)
    assert again.meanings[number] == "close"
    assert 0.4 < cosine < 1
    exact = encoder.encode(phrases) @ vector
    assert cosine == pytest.approx(float(exact[number]), abs=2e-3)
