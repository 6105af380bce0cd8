"""The encoder: as good as the published model, whatever texts come together."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import gguf
import numpy as np
import pytest

from bert_reference import Bert
from encoder_texts import SENTENCES
from homellm_edge.encoder import Encoder
from homellm_edge.encoder.encoder import MOST_TOKENS
from homellm_edge.errors import EngineError, ModelError
from training.encoder import Source


def test_vectors_are_those_of_the_published_model(
    encoder: Encoder, source: Source
) -> None:
    reference = Bert(source.weights)
    assert len(SENTENCES) == 30
    wanted = np.stack([reference.encode(encoder.tokenize(s)) for s in SENTENCES])
    given = encoder.encode(SENTENCES)
    cosines = (given * wanted).sum(axis=1)
    assert cosines.min() > 0.995
    assert cosines.mean() > 0.999
    # what is done with them: comparing
    assert np.abs(given @ given.T - wanted @ wanted.T).max() < 0.02


def test_vectors_have_length_one(encoder: Encoder) -> None:
    vectors = encoder.encode(SENTENCES)
    assert vectors.shape == (30, encoder.width) == (30, 384)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_texts_beside_it_do_not_matter(encoder: Encoder) -> None:
    together = encoder.encode([*SENTENCES, "word " * 100, *reversed(SENTENCES)])
    alone = np.concatenate([encoder.encode([s]) for s in SENTENCES])
    assert (together[:30] * alone).sum(axis=1).min() > 0.999
    assert (together[:30] * together[:30:-1]).sum(axis=1).min() > 0.999


def test_like_meanings_are_near(encoder: Encoder) -> None:
    known = ["turn on the light", "close the blinds", "play music", "lock the door"]
    asked = ["it is too dark in here", "shut the shutters", "some tunes please"]
    near = encoder.encode(asked) @ encoder.encode(known).T
    assert near.argmax(axis=1).tolist() == [0, 1, 2]


def test_no_text_and_an_empty_text(encoder: Encoder) -> None:
    assert encoder.encode([]).shape == (0, 384)
    assert encoder.encode(["", "\0", "\ud800"]).shape == (3, 384)


def test_many_short_texts_fit_together(encoder: Encoder) -> None:
    vectors = encoder.encode([""] * 300)
    assert (vectors @ vectors[0]).min() > 0.9999


def test_long_texts_are_cut(encoder: Encoder) -> None:
    tokens = encoder.tokenize("kitchen " * 1000)
    assert len(tokens) == MOST_TOKENS
    assert tokens[0] == 101
    assert tokens[-1] == 102
    cut, same, just = encoder.encode(
        ["kitchen " * 1000, "kitchen " * 62 + "door", "kitchen " * 62]
    )
    assert cut @ same > 0.999
    assert cut @ just > 0.999
    assert len(encoder.tokenize("kitchen " * 62)) == MOST_TOKENS
    assert len(encoder.tokenize("x" * 10**6)) == MOST_TOKENS


def test_threads_may_share_it(encoder: Encoder) -> None:
    wanted = encoder.encode(SENTENCES)
    worst = []

    def work(first: int) -> None:
        for i in range(first, first + 10):
            (vector,) = encoder.encode([SENTENCES[i]])
            worst.append(float(vector @ wanted[i]))

    threads = [threading.Thread(target=work, args=(i,)) for i in (0, 5, 10, 20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(worst) == 40
    assert min(worst) > 0.999


def test_one_text_by_mistake(encoder: Encoder) -> None:
    with pytest.raises(TypeError, match="several texts"):
        encoder.encode("turn on the light")


def test_closed(encoder_file: Path) -> None:
    encoder = Encoder(encoder_file)
    encoder.encode(["hello"])
    encoder.close()
    encoder.close()
    with pytest.raises(EngineError, match="closed"):
        encoder.encode(["hello"])


def test_threads_must_be_possible(encoder_file: Path) -> None:
    with pytest.raises(EngineError, match="0 threads"):
        Encoder(encoder_file, threads=0)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="does not exist"):
        Encoder(tmp_path / "none.gguf")


def test_a_model_of_another_kind(tiny_model: Path) -> None:
    with pytest.raises(ModelError, match=r"no sentence encoder.*'llama'"):
        Encoder(tiny_model)


def test_a_file_that_is_cut_off(encoder_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "cut.gguf"
    path.write_bytes(encoder_file.read_bytes()[:-1000])
    with pytest.raises(ModelError, match="cut off"):
        Encoder(path)


def test_a_file_without_a_tensor(encoder_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "less.gguf"
    data = encoder_file.read_bytes()
    path.write_bytes(data.replace(b"blk.5.attn_q.weight", b"blk.5.attn_x.weight", 1))
    with pytest.raises(ModelError, match=r"blk\.5\.attn_q\.weight"):
        Encoder(path)


def test_a_file_with_damaged_numbers(encoder_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "damaged.gguf"
    shutil.copy(encoder_file, path)
    tensors = {t.name: t for t in gguf.GGUFReader(encoder_file).tensors}
    with path.open("r+b") as file:
        file.seek(int(tensors["token_embd_norm.weight"].data_offset))
        file.write(np.full(384, np.nan, np.float32).tobytes())
    with Encoder(path) as encoder, pytest.raises(ModelError, match="no numbers"):
        encoder.encode(["hello"])
