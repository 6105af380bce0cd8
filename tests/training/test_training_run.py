"""Training learns, repeats itself exactly and can be resumed."""

from __future__ import annotations

import itertools
import json
import random

import pytest
import torch

from training import TrainingError, checkpoint
from training.batches import (
    Encoded,
    Stream,
    encode,
    load_data,
    make_example,
    shards,
)
from training.train import LOG, TOKENIZER, Settings, Trainer, train

DATA = "fake_training_data"


def settings(out, **changes) -> Settings:
    base = {
        "out": str(out),
        "size": "tiny",
        "steps": 60,
        "batch_tokens": 512,
        "threads": 1,
        "workers": 0,
        "precision": "fp32",
        "log_examples": 60,
        "data": DATA,
        "vocab": 400,
        "corpus": 1500,
    }
    return Settings(**{**base, **changes}).complete()


def some(tokenizer, count: int) -> list[Encoded]:
    data = load_data(DATA)
    return [encode(tokenizer, make_example(data, 1, i)) for i in range(count)]


def test_loss_falls_and_unseen_names_are_answered(tmp_path) -> None:
    train(settings(tmp_path, steps=150, log_minutes=0.002))
    lines = [json.loads(line) for line in (tmp_path / LOG).read_text().splitlines()]
    assert lines[-1]["step"] == 150
    assert lines[-1]["loss"] < 0.3 * lines[0]["loss"]
    assert lines[-1]["fresh"]["all"] > 0.9
    assert lines[-1]["held_out"]["all"] > 0.6
    assert set(lines[-1]["held_out"]) == {"all", "on", "off", "dim"}


def test_overfits_twenty_examples(tokenizer, tmp_path) -> None:
    examples = some(tokenizer, 20)
    trainer = Trainer(settings(tmp_path, steps=80), tokenizer)
    assert trainer.accuracy(examples)["all"] == 0
    for _ in range(80):
        trainer.train_step([examples])
    assert trainer.accuracy(examples)["all"] == 1
    trainer.close()


def test_accuracy_is_that_of_free_decoding(tokenizer, tmp_path) -> None:
    from training.model import Layout

    examples = some(tokenizer, 40)
    trainer = Trainer(settings(tmp_path, steps=25), tokenizer)
    for _ in range(25):
        trainer.train_step([examples[:30]])
    right = 0
    for example in examples:
        ids = list(example.ids[: example.answer])
        while len(ids) < len(example.ids) and ids[-1] != tokenizer.end:
            flat = torch.tensor(ids)
            scores = trainer.model.logits(trainer.model(flat, Layout.of([len(ids)])))
            ids.append(int(scores[-1].argmax()))
        right += tuple(ids) == example.ids
    assert 0 < right < 40
    assert trainer.accuracy(examples)["all"] == right / 40
    trainer.close()


@pytest.mark.parametrize("threads", [1, 2])
def test_resumed_run_equals_uninterrupted_run(tokenizer, tmp_path, threads) -> None:
    tokenizer.save(tmp_path / TOKENIZER)

    def run(name: str, first: int, last: int) -> Trainer:
        made = Trainer(settings(tmp_path / name, steps=12, threads=threads), tokenizer)
        if first:
            made.resume()
        stream = Stream(DATA, tmp_path / TOKENIZER, 1, made.examples)
        steps = shards(iter(stream), 512, threads)
        for _ in range(first, last):
            made.train_step(next(steps))
        made.save()
        made.close()
        return made

    whole = run("whole", 0, 12)
    run("parts", 0, 5)
    resumed = run("parts", 5, 12)
    assert (resumed.step, resumed.examples) == (whole.step, whole.examples)
    for name, weight in whole.model.named_parameters():
        assert torch.equal(weight, resumed.model.get_parameter(name)), name


def test_shares_give_the_same_step_as_one_batch(tokenizer, tmp_path) -> None:
    examples = some(tokenizer, 24)
    one = Trainer(settings(tmp_path), tokenizer)
    two = Trainer(settings(tmp_path, threads=2), tokenizer)
    one.train_step([examples])
    two.train_step([examples[:11], examples[11:]])
    for name, weight in one.model.named_parameters():
        other = two.model.get_parameter(name)
        torch.testing.assert_close(weight, other, atol=2e-4, rtol=2e-3, msg=name)
    one.close()
    two.close()


def test_resume_with_another_size_is_refused(tokenizer, tmp_path) -> None:
    trainer = Trainer(settings(tmp_path), tokenizer)
    trainer.train_step([some(tokenizer, 4)])
    trainer.save()
    trainer.close()
    other = Trainer(settings(tmp_path, size="xs"), tokenizer)
    with pytest.raises(TrainingError, match="checkpoint's size is tiny, not xs"):
        other.resume()
    other.close()


def test_train_goes_on_with_resume(tmp_path) -> None:
    train(settings(tmp_path, steps=3))
    first = checkpoint.load(tmp_path)
    train(settings(tmp_path, steps=6), resume=True)
    second = checkpoint.load(tmp_path)
    assert (first.info["step"], second.info["step"]) == (3, 6)
    assert second.info["examples"] > first.info["examples"]
    assert second.info["tokenizer"] == first.info["tokenizer"]
    assert len((tmp_path / LOG).read_text().splitlines()) == 2


def test_call_minutes_end_a_call_early(tmp_path) -> None:
    train(settings(tmp_path, steps=10**6, call_minutes=0.02))
    saved = checkpoint.load(tmp_path)
    assert 0 < saved.info["step"] < 10**6


def test_checkpoint_replaces_the_old_one_and_is_read_whole(tmp_path) -> None:
    big = {f"model.{i}": torch.randn(1000, 1000) for i in range(9)}
    checkpoint.save(tmp_path, checkpoint.Checkpoint(big, {"step": 1}))
    assert len(list(tmp_path.glob("part-*"))) == 3
    small = {"model.a": torch.randn(4, 4), "optimizer.a.m": torch.randn(4, 4)}
    checkpoint.save(tmp_path, checkpoint.Checkpoint(small, {"step": 2}))
    assert len(list(tmp_path.glob("part-*"))) == 1
    read = checkpoint.load(tmp_path)
    assert read.info == {"step": 2}
    assert torch.equal(read.model()["a"], small["model.a"])
    checkpoint.save(tmp_path, checkpoint.Checkpoint(small, {"step": 3}), slim=True)
    slim = checkpoint.load(tmp_path)
    assert slim.tensors["model.a"].dtype == torch.float16
    assert slim.tensors["optimizer.a.m"].dtype == torch.bfloat16
    next(tmp_path.glob("part-*")).write_bytes(b"damaged")
    with pytest.raises(TrainingError, match="no usable checkpoint"):
        checkpoint.load(tmp_path)


def test_checkpoint_does_not_reach_outside_its_folder(tmp_path) -> None:
    checkpoint.save(
        tmp_path / "a", checkpoint.Checkpoint({"x": torch.ones(1)}, {"step": 1})
    )
    index = tmp_path / "a" / checkpoint.INDEX
    data = json.loads(index.read_text())
    data["parts"] = ["../secret.safetensors"]
    index.write_text(json.dumps(data))
    with pytest.raises(TrainingError, match="outside the folder"):
        checkpoint.load(tmp_path / "a")


def test_example_is_a_function_of_seed_and_index(tokenizer, tmp_path) -> None:
    tokenizer.save(tmp_path / TOKENIZER)
    expected = some(tokenizer, 400)
    random.seed(99)  # the global generator must not matter

    def read(first: int, workers: int) -> list[Encoded]:
        stream = Stream(DATA, tmp_path / TOKENIZER, 1, first, workers)
        try:
            return list(itertools.islice(stream, 400 - first))
        finally:
            stream.close()

    assert read(0, 0) == expected
    assert read(300, 0) == expected[300:]
    assert read(150, 2) == expected[150:]
    assert expected[0] != expected[1]


def test_shards_fill_the_budget_in_order() -> None:
    examples = [Encoded(tuple(range(1 + i % 7)), 0, 1) for i in range(200)]
    steps = list(itertools.islice(shards(iter(examples), 60, 2), 5))
    flat = [example for step in steps for share in step for example in share]
    assert flat == examples[: len(flat)]
    for share in itertools.chain(*steps):
        size = sum(len(example.ids) for example in share)
        assert 30 <= size < 30 + 7
