"""A model in blocks: trained, exported, and the same in llama.cpp."""

from __future__ import annotations

import asyncio
import itertools
import json
import pickle

import gguf
import numpy as np
import pytest

import dense_reference as dense
import fake_block_data as data
from homellm_edge.engine.llama import LlamaEngine
from homellm_edge.prompt.blocks import Block, Prompt, Turn
from test_training_run import DATA, settings
from training import TrainingError
from training.batches import Stream, encode, make_example, prompt_of, tokenize
from training.evaluate import Runner, evaluate, held_out
from training.export import compare, load, write_gguf
from training.layout import Segments
from training.make import make
from training.train import LOG, TOKENIZER, Trainer, train

BLOCKS = "fake_block_data"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    return train(settings(folder, steps=50, data=BLOCKS, log_minutes=0.002))


@pytest.fixture(scope="module")
def f32(run):
    write_gguf(load(run), run / "f32.gguf", "f32")
    return run / "f32.gguf"


def wide() -> Prompt:
    """More blocks than a batch takes, more tokens than positions, two blocks long."""
    lines = [Block(str(i), f"\nlamp b{i} = on" * (1 + i % 9)) for i in range(40)]
    lines[7] = lines[9] = Block("long", "\nlamp c3 = off" * 90)
    turns = (Turn(data.asked("show me b3"), "here it is<|im_end|>\n"),) * 3
    return Prompt(data.HEADER, tuple(lines), turns, data.asked("is b7 on?"))


def accuracy(run, examples) -> float:
    """What the trainer says of the model in `run`."""
    tokenizer = load(run).tokenizer
    trainer = Trainer(settings(run, data=BLOCKS), tokenizer)
    trainer.resume()
    figures = trainer.accuracy([encode(tokenizer, e, "block") for e in examples])
    trainer.close()
    return figures["all"]


def test_training_learns_something(run) -> None:
    lines = [json.loads(line) for line in (run / LOG).read_text().splitlines()]
    assert lines[-1]["loss"] < 0.6 * lines[0]["loss"]
    held = lines[-1]["held_out"]
    assert set(held) == {"all", "state", "that", "plain"}
    assert accuracy(run, held_out(BLOCKS, 1, 60)) == pytest.approx(
        held["all"], abs=1e-4
    )


def test_stream_makes_examples_in_blocks(run) -> None:
    trained = load(run)
    made = list(itertools.islice(Stream(BLOCKS, run / TOKENIZER, 1), 20))
    examples = [make_example(data, 1, i) for i in range(20)]
    assert made == [encode(trained.tokenizer, e, "block") for e in examples]
    assert pickle.loads(pickle.dumps(made)) == made  # noqa: S301 - from a worker


def test_f32_export_is_the_trained_model(run, f32) -> None:
    prompts = [prompt_of(example) for example in held_out(BLOCKS, 7, 60)]
    bare = Prompt("", prompts[0].blocks, (), data.asked("is b7 on?"))
    parity = compare(load(run), f32, [*prompts, wide(), bare], ["any other text"])
    assert (parity.prompts, parity.texts) == (62, 63)
    assert parity.logit < 1e-3
    assert (parity.tokens_differ, parity.greedy_differ) == (0, 0)


def test_llama_cpp_gives_the_dense_scores(run, f32) -> None:
    """Without PyTorch's layout between them; causal attention gives other ones."""
    trained = load(run)
    example = next(e for e in held_out(BLOCKS, 7, 20) if e.kind == "that")
    ids, segments = tokenize(trained.tokenizer.encode, example.parts, "block")
    spans = np.cumsum([segments.header, *segments.blocks, segments.turns]).tolist()
    header, *side, question = (part.tolist() for part in np.split(ids, spans))
    parts = (header, side[:-1], side[-1], question)
    expected = dense.logits(trained.weights, trained.config, parts)
    with Runner(f32, exact=True) as runner:
        assert runner.attention == "block"
        assert np.abs(runner.scores(ids, segments) - expected.numpy()).max() < 1e-3
        causal = runner.scores(ids)
    assert np.abs(causal - expected.numpy()).max() > 0.1


def test_the_runtime_reads_it_in_the_same_way(run, f32) -> None:
    """The library's own session, which keeps what has not changed, in any order."""
    engine = LlamaEngine.load(
        f32, n_threads=1, kv_type="f32", flash_attention=False, probe=False
    )
    native = engine._native
    assert engine.kv_plan == "block"
    assert engine.n_ctx > engine.info.n_ctx_train  # it counts tokens, not positions
    prompts = [prompt_of(e) for e in held_out(BLOCKS, 7, 40) if e.parts is not None]
    evaluated = total = 0
    try:
        with Runner(f32, exact=True) as runner:
            for prompt in [*prompts, wide()]:
                native.session.prepare(prompt)
                evaluated += native.session.ask().evaluated
                logits = np.array(native.decoder.logits())
                ids, segments = tokenize(runner.tokenize, prompt, "block")
                total += len(ids)
                expected = runner.scores(ids, segments)[-1]
                assert np.abs(logits - expected).max() < 1e-3
                native.session.settle()
    finally:
        asyncio.run(engine.close())
    assert evaluated < total


def test_wide_prompt_is_wide(run) -> None:
    ids, segments = tokenize(load(run).tokenizer.encode, wide(), "block")
    assert len(segments.blocks) > 16
    assert len(ids) > 1024 > segments.positions(len(ids))
    assert sum(segments.blocks[:16]) > 1024


def test_limits_of_the_runner(f32) -> None:
    with Runner(f32) as runner:
        with pytest.raises(TrainingError, match="more than 1024 positions"):
            runner.greedy([5] * 1100, 1, Segments(header=10, blocks=(1020, 3)))
        with pytest.raises(TrainingError, match="more than 4096 tokens"):
            runner.greedy([5] * 4100, 1, Segments(header=10, blocks=(100,) * 40))


def test_evaluation_is_the_trainers_accuracy(run, f32) -> None:
    """Free decoding in llama.cpp against one pass of PyTorch."""
    examples = held_out(BLOCKS, 7, 60)
    figures, _ = evaluate(f32, examples)
    # the evaluation rounds the KV cache to 16 bits
    assert abs(figures["all"].right - round(60 * accuracy(run, examples))) <= 2
    assert figures["all"].right > 10


def test_metadata_and_record(tmp_path) -> None:
    target = tmp_path / "models" / "default.gguf"
    chosen = settings(tmp_path / "run", steps=4, log_examples=5, data=BLOCKS)
    make(chosen, target, count=5)
    fields = gguf.GGUFReader(target).fields
    assert fields["homellm.attention"].contents() == "block"
    assert fields["homellm.prompt_format"].contents() == "lamps"
    record = json.loads(target.with_suffix(".json").read_text())
    assert (record["attention"], record["prompt_format"]) == ("block", "lamps")
    assert record["parity"]["logit"] < 1e-3
    assert "| attention | block |" in target.with_suffix(".md").read_text()


def test_causal_file_says_nothing(tmp_path) -> None:
    write_gguf(load(train(settings(tmp_path, steps=1, data=DATA))), tmp_path / "m.gguf")
    fields = gguf.GGUFReader(tmp_path / "m.gguf").fields
    assert "homellm.attention" not in fields
    with Runner(tmp_path / "m.gguf") as runner:
        assert runner.attention == "causal"


def test_another_attention_is_refused(run, monkeypatch) -> None:
    monkeypatch.setattr(data, "ATTENTION", "causal")
    with pytest.raises(
        TrainingError, match="checkpoint's attention is block, not caus"
    ):
        train(settings(run, steps=60, data=BLOCKS), resume=True)
    with pytest.raises(
        TrainingError, match="block attention, but fake_block_data decl"
    ):
        load(run)
    monkeypatch.setattr(data, "ATTENTION", "sideways")
    with pytest.raises(TrainingError, match="no attention 'sideways'"):
        load(run)


def test_checkpoint_from_before_is_causal(tmp_path, monkeypatch) -> None:
    train(settings(tmp_path, steps=1, data=DATA))
    index = tmp_path / "checkpoint.json"
    info = json.loads(index.read_text())
    assert info.pop("attention") == "causal"
    assert info.pop("prompt_format") == "grounded"
    index.write_text(json.dumps(info))
    assert load(tmp_path).attention == "causal"
    chosen = settings(tmp_path, steps=2, data=DATA)
    with monkeypatch.context() as patch:
        patch.setattr("fake_training_data.ATTENTION", "block", raising=False)
        with pytest.raises(TrainingError, match="attention is causal, not block"):
            train(chosen, resume=True)
    train(chosen, resume=True)
    assert load(tmp_path).info["step"] == 2
