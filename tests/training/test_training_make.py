"""The exported file answers as the trained model does; the card tells the truth."""

from __future__ import annotations

import hashlib
import json

import gguf
import pytest

from test_training_run import DATA, settings
from training import TrainingError, card
from training.evaluate import Runner, evaluate, held_out
from training.export import compare, load, write_gguf
from training.make import make
from training.train import train


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return load(train(settings(tmp_path_factory.mktemp("run"), steps=50)))


def test_f32_export_is_the_trained_model(trained, tmp_path) -> None:
    write_gguf(trained, tmp_path / "m.gguf", "f32")
    prompts = [example.prompt for example in held_out(DATA, 7, 200)]
    parity = compare(trained, tmp_path / "m.gguf", prompts, ["any other text"])
    assert (parity.prompts, parity.texts) == (200, 201)
    assert parity.logit < 1e-3
    assert (parity.tokens_differ, parity.greedy_differ) == (0, 0)


def test_comparison_notices_another_model(trained, tmp_path) -> None:
    weights = dict(trained.weights)
    weights["blocks.0.attn_q"] = weights["blocks.0.attn_q"].roll(1, 0)
    write_gguf(trained, tmp_path / "m.gguf", "f32")
    other = type(trained)(trained.config, weights, trained.tokenizer, trained.info)
    prompts = [example.prompt for example in held_out(DATA, 7, 3)]
    with pytest.raises(TrainingError, match="does not run the model as trained"):
        compare(other, tmp_path / "m.gguf", prompts).check()


@pytest.mark.parametrize("kind", ["f16", "q8_0"])
def test_smaller_types_answer_the_same(trained, tmp_path, kind) -> None:
    write_gguf(trained, tmp_path / "full.gguf", "f32")
    write_gguf(trained, tmp_path / "small.gguf", kind)
    examples = held_out(DATA, 7, 40)
    full, _ = evaluate(tmp_path / "full.gguf", examples)
    small, mistakes = evaluate(tmp_path / "small.gguf", examples)
    assert abs(full["all"].right - small["all"].right) <= 2
    assert len(mistakes) == small["all"].asked - small["all"].right
    full_size = (tmp_path / "full.gguf").stat().st_size
    assert (tmp_path / "small.gguf").stat().st_size < 0.75 * full_size


def test_metadata(trained, tmp_path) -> None:
    write_gguf(trained, tmp_path / "m.gguf", "q8_0")
    fields = gguf.GGUFReader(tmp_path / "m.gguf").fields
    read = {name: field.contents() for name, field in fields.items()}
    assert read["general.architecture"] == "llama"
    assert read["general.license"] == "mit"
    assert read["llama.context_length"] == 1024
    assert read["tokenizer.ggml.pre"] == "gpt-2"
    assert read["tokenizer.ggml.add_bos_token"] is False
    assert read["homellm.prompt_format"] == "grounded"
    assert read["homellm.data_version"] == "fake-1"
    assert read["homellm.trained_tokens"] == trained.info["tokens"]
    with Runner(tmp_path / "m.gguf") as runner:
        assert runner.ends() == [trained.tokenizer.end]


def test_unknown_type_is_refused(trained, tmp_path) -> None:
    with pytest.raises(TrainingError, match="no tensor type 'q3'"):
        write_gguf(trained, tmp_path / "m.gguf", "q3")


def test_make_from_nothing(tmp_path) -> None:
    evaluation = tmp_path / "independent.json"
    row = {"set": "people", "system": "model", "right": 3, "asked": 4}
    evaluation.write_text(json.dumps({"description": "By hand.", "results": [row]}))
    target = tmp_path / "models" / "default.gguf"
    make(
        settings(tmp_path / "run", steps=12, log_examples=20),
        target,
        count=30,
        evaluation=evaluation,
    )
    record = json.loads(target.with_suffix(".json").read_text())
    assert record["sha256"] == hashlib.sha256(target.read_bytes()).hexdigest()
    assert record["held_out"]["all"]["asked"] == 30
    figures, _ = evaluate(target, held_out(DATA, 1, 30))
    assert record["held_out"]["all"]["right"] == figures["all"].right
    assert "training.make --size tiny --steps 12" in record["training"]["command"]
    assert str(tmp_path) not in json.dumps(record)
    text = target.with_suffix(".md").read_text()
    assert record["sha256"] in text
    assert "generator version fake-1, seed 1" in text
    assert "| people | model | 3 of 4 | 75.0 % |" in text


def test_card_without_evaluation_says_so(tmp_path) -> None:
    path = tmp_path / "evaluation.json"
    path.write_text('{"results": [{"set": "people"}]}')
    with pytest.raises(TrainingError, match="is not an evaluation"):
        card.read_evaluation(path)
    path.write_text("[1]")
    with pytest.raises(TrainingError, match="JSON object"):
        card.read_record(path)
