"""A run may start from an earlier model, if its layers have the same shape."""

from __future__ import annotations

import dataclasses
import random

import gguf
import pytest
import torch

import fake_training_data as data
from training import TrainingError
from training.export import Trained, gguf_name, write_gguf
from training.model import Llama, preset
from training.tokenizer import Tokenizer
from training.warm import warm_start

INFO = {
    "data_version": data.VERSION,
    "seconds": 0.0,
    "tokens": 0,
    "examples": 0,
    "settings": {"seed": 1},
}


def made(tokenizer, seed: int, **changes) -> Llama:
    torch.manual_seed(seed)
    config = dataclasses.replace(preset("tiny", tokenizer.size), **changes)
    return Llama(config)


def written(model: Llama, tokenizer, path, kind: str = "f32"):
    weights = dict(model.named_parameters())
    write_gguf(Trained(model.config, weights, tokenizer, INFO), path, kind)
    return path


@pytest.fixture(scope="module")
def other_tokenizer():
    """With fewer words, one macro less and one more: most tokens stand elsewhere."""
    texts = data.CORPUS(random.Random(2), 1500)
    macros = ("<T1>", *data.MACROS[1:])
    return Tokenizer.train(texts, data.SPECIALS, macros, 380)


def test_all_weights_come_back(tokenizer, tmp_path) -> None:
    model = made(tokenizer, 1)
    fresh = made(tokenizer, 2)
    path = written(model, tokenizer, tmp_path / "m.gguf")
    assert warm_start(fresh, tokenizer, path) == 1.0
    for name, parameter in fresh.named_parameters():
        assert torch.equal(parameter, model.get_parameter(name)), name
        assert parameter.requires_grad


def test_packed_weights_come_back_nearly(tokenizer, tmp_path) -> None:
    model = made(tokenizer, 1)
    fresh = made(tokenizer, 2)
    warm_start(fresh, tokenizer, written(model, tokenizer, tmp_path / "m", "q8_0"))
    for name, parameter in fresh.named_parameters():
        torch.testing.assert_close(
            parameter, model.get_parameter(name), atol=3e-3, rtol=0
        )


def test_tokens_are_known_by_their_text(tokenizer, other_tokenizer, tmp_path) -> None:
    model = made(tokenizer, 1)
    fresh, before = made(other_tokenizer, 2), made(other_tokenizer, 2)
    share = warm_start(
        fresh, other_tokenizer, written(model, tokenizer, tmp_path / "m")
    )
    old = tokenizer.token_texts()
    known = 0
    for place, text in enumerate(other_tokenizer.token_texts()):
        if text in old:
            known += 1
            assert torch.equal(fresh.embedding[place], model.embedding[old.index(text)])
        else:
            assert torch.equal(fresh.embedding[place], before.embedding[place])
    assert share == known / other_tokenizer.size
    assert 0.5 < share < 1
    moved = [old.index(t) != n for n, t in enumerate(other_tokenizer.token_texts())
             if t in old]  # fmt: skip
    assert any(moved)  # else this would show nothing


@pytest.mark.parametrize(
    "changes",
    [{"dim": 128}, {"ffn": 64}, {"layers": 1}, {"layers": 9}, {"kv_heads": 2}],
)
def test_another_shape_is_refused(tokenizer, tmp_path, changes) -> None:
    config = preset("tiny", tokenizer.size)
    assert all(getattr(config, name) != value for name, value in changes.items())
    path = written(made(tokenizer, 1), tokenizer, tmp_path / "m.gguf")
    with pytest.raises(TrainingError, match=r"m\.gguf"):
        warm_start(made(tokenizer, 2, **changes), tokenizer, path)


def test_what_is_no_model(tokenizer, tmp_path) -> None:
    model = made(tokenizer, 1)
    path = tmp_path / "m.gguf"
    whole = written(model, tokenizer, tmp_path / "whole").read_bytes()
    for content in (b"", b"GGUF", b"no model at all" * 9, whole[:3000], whole[:-100]):
        path.write_bytes(content)
        with pytest.raises(TrainingError, match=r"m\.gguf"):
            warm_start(model, tokenizer, path)
    with pytest.raises(TrainingError, match="gone"):
        warm_start(model, tokenizer, tmp_path / "gone")
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_token_list(["a", "b"])
    writer.add_tensor(gguf_name("norm"), model.norm.detach().numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(TrainingError, match="has no token_embd"):
        warm_start(model, tokenizer, path)
