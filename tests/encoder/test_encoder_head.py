"""The layer on the encoder: kept in a file that nobody has to trust."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homellm_edge.encoder import MeaningHead, PhraseIndexError, StaleIndexError

DIGEST = "e" * 64
LABELS = ("light.turn_on", "reply hello", "value pm25")


def _head() -> MeaningHead:
    rng = np.random.default_rng(5)
    return MeaningHead(
        LABELS,
        rng.normal(size=(3, 8)).astype(np.float32),
        rng.normal(size=3).astype(np.float32),
        DIGEST,
    )


def test_probabilities_are_those_of_the_formula() -> None:
    head = _head()
    vector = np.linspace(-1, 1, 8).astype(np.float32)
    scores = [
        float(sum(w * v for w, v in zip(row, vector, strict=True)) + b)
        for row, b in zip(head.weights, head.bias, strict=True)
    ]
    whole = sum(np.exp(s) for s in scores)
    wanted = [np.exp(s) / whole for s in scores]
    assert head.probabilities(vector) == pytest.approx(wanted, abs=1e-6)
    huge = MeaningHead(LABELS, head.weights * 1e4, head.bias, DIGEST)
    assert huge.probabilities(vector).sum() == pytest.approx(1)  # nothing overflows


def test_round_trip_in_half_precision(tmp_path: Path) -> None:
    head, path = _head(), tmp_path / "head.npz"
    head.save(path)
    again = MeaningHead.load(path, DIGEST)
    assert (again.labels, again.encoder) == (head.labels, head.encoder)
    assert again.weights == pytest.approx(head.weights, rel=1e-3)
    assert again.bias == pytest.approx(head.bias, rel=1e-3)
    assert again.weights.dtype == again.bias.dtype == np.float32


def test_one_of_another_encoder_is_stale(tmp_path: Path) -> None:
    _head().save(tmp_path / "head.npz")
    with pytest.raises(StaleIndexError, match="another encoder"):
        MeaningHead.load(tmp_path / "head.npz", "f" * 64)


def test_what_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "head.npz"
    for content in (b"", b"no zip at all", pickle.dumps([1])):
        path.write_bytes(content)
        with pytest.raises(PhraseIndexError, match=r"head\.npz"):
            MeaningHead.load(path, DIGEST)
    plain = io.BytesIO()
    np.save(plain, np.zeros(3))
    path.write_bytes(plain.getvalue())  # numpy would read it, too
    with pytest.raises(PhraseIndexError):
        MeaningHead.load(path, DIGEST)
    for missing in (tmp_path / "gone.npz", tmp_path):
        with pytest.raises(PhraseIndexError, match="cannot be read"):
            MeaningHead.load(missing, DIGEST)


def _forged(path: Path, **changes: object) -> None:
    head = _head()
    parts: dict[str, object] = {
        "labels": np.array(head.labels),
        "weights": head.weights,
        "bias": head.bias,
        "encoder": np.array(DIGEST),
        **changes,
    }
    kept = {name: part for name, part in parts.items() if part is not None}
    np.savez_compressed(path, **kept)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changes",
    [
        {"bias": None},
        {"more": np.zeros(3)},
        {"bias": np.zeros(2, np.float32)},
        {"bias": np.zeros((3, 1), np.float32)},
        {"bias": np.float32(1)},
        {"bias": np.full(3, np.nan, np.float32)},
        {"weights": np.zeros(3, np.float32)},
        {"weights": np.zeros((2, 8), np.float32)},
        {"weights": np.zeros((3, 8, 1), np.float32)},
        {"weights": np.full((3, 8), np.inf, np.float32)},
        {"weights": np.full((3, 8), 1e300)},  # more than 32 bits hold
        {"weights": np.full((3, 8), "1")},
        {"weights": np.full((3, 8), 1j)},
        {"labels": np.array("light.turn_on")},
        {"labels": np.array([])},
        {"labels": np.array([{}, 1, 2], dtype=object)},
        {"encoder": np.array([DIGEST], dtype=object)},
    ],
    ids=lambda c: next(iter(c)),
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")
def test_forged_files(tmp_path: Path, changes: dict[str, object]) -> None:
    path = tmp_path / "head.npz"
    _forged(path)
    MeaningHead.load(path, DIGEST)
    _forged(path, **changes)
    with pytest.raises(PhraseIndexError):
        MeaningHead.load(path, DIGEST)


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[object, ...]]:
            return Path.touch, (tmp_path / "sprung",)

    path = tmp_path / "head.npz"
    _forged(path, labels=np.array([Trap(), 1, 2], dtype=object))
    with pytest.raises(PhraseIndexError):
        MeaningHead.load(path, DIGEST)
    assert not (tmp_path / "sprung").exists()


def test_a_file_that_unpacks_to_far_too_much(tmp_path: Path) -> None:
    path = tmp_path / "head.npz"
    _forged(path, weights=np.zeros((3, 1 << 23), np.float32))
    assert path.stat().st_size < 1 << 18
    with pytest.raises(PhraseIndexError, match="far too large"):
        MeaningHead.load(path, DIGEST)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("head") / "head.npz"
    _head().save(path)
    return path


@settings(deadline=None)
@given(st.data())
@pytest.mark.filterwarnings("ignore")
def test_damage_is_found_or_does_no_harm(good: Path, data: st.DataObject) -> None:
    content = bytearray(good.read_bytes())
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    for _ in range(data.draw(st.integers(0, 3))):
        if content:
            at = data.draw(st.integers(0, len(content) - 1))
            content[at] = data.draw(st.integers(0, 255))
    path = good.with_name("damaged.npz")
    path.write_bytes(content)
    try:
        head = MeaningHead.load(path, DIGEST)
    except PhraseIndexError:
        return
    assert head.probabilities(np.ones(8, np.float32)).sum() == pytest.approx(1)


def test_scores_that_do_not_fit_the_labels() -> None:
    head = _head()
    with pytest.raises(PhraseIndexError, match="2 labels have 3"):
        MeaningHead(LABELS[:2], head.weights, head.bias, DIGEST)


def test_an_encrypted_file(good: Path, tmp_path: Path) -> None:
    content = bytearray(good.read_bytes())
    for sign, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.find(sign)
        while at >= 0:
            content[at + offset] |= 1
            at = content.find(sign, at + 1)
    path = tmp_path / "head.npz"
    path.write_bytes(content)
    assert zipfile.is_zipfile(path)
    with pytest.raises(PhraseIndexError, match="cannot be read"):
        MeaningHead.load(path, DIGEST)
