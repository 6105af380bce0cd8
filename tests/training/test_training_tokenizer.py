"""Our tokenizer and llama.cpp's give the same ids for every text."""

from __future__ import annotations

import random
import unicodedata

import pytest

import fake_training_data as data
from training import TrainingError
from training.evaluate import Runner
from training.export import Trained, write_gguf
from training.model import Llama, preset
from training.tokenizer import Tokenizer


@pytest.fixture(scope="module")
def runner(tokenizer, tmp_path_factory):
    model = Llama(preset("tiny", tokenizer.size))
    info = {
        "data_version": data.VERSION,
        "seconds": 0.0,
        "tokens": 0,
        "examples": 0,
        "settings": {"seed": 1},
    }
    trained = Trained(model.config, dict(model.named_parameters()), tokenizer, info)
    path = tmp_path_factory.mktemp("vocabulary") / "vocabulary.gguf"
    write_gguf(trained, path, "f32")
    with Runner(path) as opened:
        yield opened


def test_same_ids_for_examples(tokenizer, runner) -> None:
    for seed in range(2000):
        example = data.example(random.Random(seed), ("train", "held_out")[seed % 2])
        for text in (example.prompt, example.answer):
            assert runner.tokenize(text) == tokenizer.encode(text)


def test_same_ids_for_any_text(tokenizer, runner) -> None:
    rng = random.Random(5)
    pieces = (*data.SPECIALS, *data.MACROS, " ", "  ", "\n", "\t", "'s", "'re", "7")
    for _ in range(4000):
        parts = [rng.choice((_words, _unicode, _piece))(rng, pieces) for _ in range(6)]
        text = "".join(parts)
        assert runner.tokenize(text) == tokenizer.encode(text), text


def test_same_text_back(tokenizer, runner) -> None:
    rng = random.Random(6)
    for _ in range(500):
        text = _unicode(rng, ()) + _words(rng, ()) + _piece(rng, data.MACROS)
        ids = tokenizer.encode(text)
        assert tokenizer.decode(ids) == text
        assert runner.text(ids) == text


def test_longest_macro_wins(tokenizer) -> None:
    ids = tokenizer.encode('<E1>"}\n```homeassistant\n')
    texts = [tokenizer.decode([i]) for i in ids]
    # the longest token of all first, as llama.cpp does: not the leftmost one
    assert texts == ["<E1>", '"}\n', "```homeassistant\n"]


def test_digits_are_single_tokens(tokenizer) -> None:
    texts = [tokenizer.decode([i]) for i in tokenizer.encode("set 255 to 10")]
    assert [text for text in texts if text.strip().isdigit()] == list("25510")


def test_save_and_load(tokenizer, tmp_path) -> None:
    tokenizer.save(tmp_path / "t.json")
    again = Tokenizer.load(tmp_path / "t.json")
    assert again.fingerprint == tokenizer.fingerprint
    assert again.encode("kill <E1> now\u00e4") == tokenizer.encode(
        "kill <E1> now\u00e4"
    )
    (tmp_path / "t.json").write_text('{"format": "other"}')
    with pytest.raises(TrainingError, match="is not a tokenizer file"):
        Tokenizer.load(tmp_path / "t.json")


def test_training_is_deterministic(tokenizer) -> None:
    texts = list(data.CORPUS(random.Random(1), 2000))
    again = Tokenizer.train(texts, data.SPECIALS, data.MACROS, 400)
    assert again.fingerprint == tokenizer.fingerprint
    assert again.size <= 400


def test_macro_that_is_a_word_is_refused() -> None:
    texts = ["lamp lamp lamp"] * 50
    with pytest.raises(TrainingError, match="also words"):
        # "a" is a letter of the byte alphabet, hence a token already
        Tokenizer.train(texts, data.SPECIALS, ("a",), 320)


def _words(rng: random.Random, _: object) -> str:
    return data.example(rng).prompt[17:30]


def _piece(rng: random.Random, pieces: tuple[str, ...]) -> str:
    piece = rng.choice(pieces)
    return piece[: rng.randint(1, len(piece))] if rng.random() < 0.3 else piece


def _unicode(rng: random.Random, _: object) -> str:
    made = ""
    while len(made) < 8:
        top = rng.choice((0x80, 0x300, 0x3000, 0x20000))
        letter = chr(rng.randrange(top))
        if unicodedata.category(letter) not in ("Cn", "Cs"):
            made += letter
    return made
