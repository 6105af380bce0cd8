"""Block attention: positions, masks and tokens are as the library defines them."""

from __future__ import annotations

import random

import pytest
import torch

import dense_reference as dense
import fake_block_data as data
from homellm_edge.prompt.blocks import Block, Prompt, Turn
from test_training_run import settings
from training import TrainingError
from training.batches import Encoded, collate, encode, make_example, tokenize
from training.layout import Layout, Segments
from training.model import Llama, preset
from training.train import Trainer


@pytest.fixture(scope="module")
def words():
    from training.tokenizer import Tokenizer

    texts = data.CORPUS(random.Random(1), 1500)
    return Tokenizer.train(texts, data.SPECIALS, data.MACROS, 400)


@pytest.fixture(scope="module")
def model(words):
    torch.manual_seed(5)
    made = Llama(preset("tiny", words.size))
    with torch.no_grad():
        made.embedding *= 4  # an error in the mask moves the scores by more than 0.1
    return made.eval()


def parts_of(words, prompt: Prompt, answer: str = "") -> dense.Parts:
    return (
        words.encode(prompt.header),
        [words.encode(block.text) for block in prompt.blocks],
        [i for turn in prompt.turns for text in turn for i in words.encode(text)],
        [*words.encode(prompt.question), *words.encode(answer)],
    )


def prompts(count: int) -> list[Prompt]:
    """Prompts of the data module, and odd ones: this or that part is missing."""
    made = [data.example(random.Random(seed)).parts for seed in range(2 * count + 20)]
    full = next(p for p in made if p is not None and len(p.turns) > 1)
    ask = full.question
    odd = [
        Prompt("", full.blocks, full.turns, ask),
        Prompt(full.header, full.blocks[:1], (), ask),
        Prompt(full.header, (Block("none", ""), *full.blocks), (), ask),
        Prompt(full.header, (), full.turns, ask),
        Prompt("", (), (), ask),
        Prompt(full.header, (Block("long", "lamp " * 40), *full.blocks), (), ask),
    ]
    return [*odd, *(p for p in made if p is not None)][:count]


def scores(model, ids, segments: Segments) -> torch.Tensor:
    layout = Layout.of([len(ids)], segments=[segments])
    with torch.no_grad():
        return model.logits(model(torch.tensor(ids), layout))


def encoded(words, count: int) -> list[Encoded]:
    return [encode(words, make_example(data, 3, i), "block") for i in range(count)]


def test_scores_are_those_of_the_dense_reference(words, model) -> None:
    weights = dict(model.named_parameters())
    for prompt in prompts(25):
        ids, segments = tokenize(words.encode, prompt, "block")
        ids += words.encode("off")
        parts = parts_of(words, prompt, "off")
        assert ids == dense.places(parts)[0]
        with torch.no_grad():
            expected = dense.logits(weights, model.config, parts)
        assert (scores(model, ids, segments) - expected).abs().max() < 1e-5


def test_positions_and_mask_of_a_small_layout() -> None:
    segments = Segments(header=2, blocks=(1, 3), turns=2)
    layout = Layout.of([10, 3], segments=[segments, Segments()])
    assert layout.positions.tolist() == [0, 1, 2, 2, 3, 4, 2, 3, 5, 6, 0, 1, 2]
    seen = ["".join(str(int(x)) for x in row) for row in layout.groups[0].mask[0, 0]]
    assert seen == [
        "1000000000", "1100000000",  # header
        "1110000000",  # a block
        "1101000000", "1101100000", "1101110000",  # another
        "1100001000", "1100001100",  # turns
        "1111111110", "1111111111",  # question
    ]  # fmt: skip
    causal = torch.ones(10, 10, dtype=torch.bool).tril()
    assert torch.equal(layout.groups[0].mask[1, 0], causal)


def test_order_of_blocks_does_not_matter(words, model) -> None:
    (prompt,) = prompts(1)
    length = len(words.encode(prompt.question))
    answers = []
    for blocks in (prompt.blocks, prompt.blocks[::-1]):
        turned = Prompt(data.HEADER, blocks, prompt.turns, prompt.question)
        answers.append(
            scores(model, *tokenize(words.encode, turned, "block"))[-length:]
        )
    assert len(prompt.blocks) > 1
    assert (answers[0] - answers[1]).abs().max() < 1e-5
    causal = scores(model, tokenize(words.encode, turned, "causal")[0], Segments())
    assert (causal[-length:] - answers[1]).abs().max() > 0.1


@pytest.mark.parametrize("groups", [1, 3])
def test_mixed_batch_equals_each_alone(words, model, groups) -> None:
    examples = sorted(encoded(words, 24), key=lambda e: len(e.ids))
    assert {e.segments.masked for e in examples} == {True, False}
    layout = Layout.of(
        [len(e.ids) for e in examples],
        groups=groups,
        segments=[e.segments for e in examples],
    )
    flat = torch.tensor([i for e in examples for i in e.ids])
    with torch.no_grad():
        together = model.logits(model(flat, layout)).split(
            [len(e.ids) for e in examples]
        )
    for example, mine in zip(examples, together, strict=True):
        alone = scores(model, example.ids, example.segments)
        assert (mine - alone).abs().max() < 1e-5


def test_gradients_are_those_of_the_dense_reference(words, tmp_path) -> None:
    examples = [make_example(data, 3, i) for i in range(12)]
    trainer = Trainer(settings(tmp_path), words)
    batch = collate([encode(words, e, "block") for e in examples], 0.0)
    loss, gradients = trainer._gradients(batch, batch.answers)
    weights = dict(trainer.model.named_parameters())
    total, answers = torch.zeros((), dtype=torch.float64), 0
    for made in examples:
        answer = [*words.encode(made.answer), words.end]
        prompt = made.parts or Prompt("", question=made.prompt)
        header, blocks, turns, question = parts_of(words, prompt)
        parts = (header, blocks, turns, [*question, *answer])
        known = dense.logits(weights, trainer.model.config, parts).log_softmax(-1)
        for back, token in enumerate(reversed(answer), 2):
            total = total - known[-back, token]
        answers += len(answer)
    expected = torch.autograd.grad(total / answers, list(weights.values()))
    assert loss == pytest.approx(float(total.detach()) / answers, abs=1e-5)
    for name, ours, theirs in zip(weights, gradients, expected, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-3, msg=name)
    trainer.close()


def test_gradients_stay_inside_what_is_seen(model) -> None:
    segments = Segments(header=2, blocks=(2, 2), turns=2)
    ids = torch.arange(10)
    hidden = model(ids, Layout.of([10], segments=[segments]))

    def moved_by(place: int) -> list[int]:
        (gradient,) = torch.autograd.grad(
            hidden[place].square().cumsum(0).sum(), [model.embedding], retain_graph=True
        )
        return gradient.abs().sum(-1).nonzero().flatten().tolist()

    assert moved_by(3) == [0, 1, 2, 3]
    assert moved_by(5) == [0, 1, 4, 5]
    assert moved_by(7) == [0, 1, 6, 7]
    assert moved_by(9) == list(range(10))


def test_tokens_are_those_of_each_part_alone(words) -> None:
    prompt = Prompt("these la", (Block("a", "mp is"),), (Turn("i", "s"),), "lamp?")
    joined = words.encode(prompt.text)
    apart = [
        i
        for text in ("these la", "mp is", "i", "s", "lamp?")
        for i in words.encode(text)
    ]
    assert joined != apart
    for attention in ("block", "causal"):
        assert tokenize(words.encode, prompt, attention)[0] == apart
    example = data.Example(prompt.text, "on", "state", prompt)
    made = encode(words, example, "block")
    assert made.ids == (*apart, *words.encode("on"), words.end)
    assert made.answer == len(apart)
    assert made.segments.tokens == len(apart) - len(words.encode("lamp?"))
    assert encode(words, example).segments == Segments()


def test_loss_begins_inside_the_question(words) -> None:
    for example in encoded(words, 40):
        batch = collate([example], 0.3)
        if example.segments.tokens:
            assert int(batch.source[0]) >= example.segments.tokens
        # the sentence, behind `<|im_start|>`, as without parts
        assert words.decode(batch.target[:1].tolist()) == "user\n"
    no_frame = Prompt("lamps:", (Block("a", " on"), Block("b", " off")), (), "which?")
    bare = encode(words, data.Example(no_frame.text, "b", "state", no_frame), "block")
    assert bare.sentence == bare.segments.tokens + 1


def test_length_is_about_positions(words) -> None:
    def example(lines: int, words_each: int) -> data.Example:
        text = "\nlamp" * words_each
        blocks = tuple(Block(str(i), text) for i in range(lines))
        parts = Prompt(data.HEADER, blocks, (), data.asked("is that one on?"))
        return data.Example(parts.text, "on", "state", parts)

    wide = encode(words, example(30, 30), "block")
    assert len(wide.ids) > 1024 > 100 > wide.segments.positions(len(wide.ids))
    with pytest.raises(TrainingError, match=r"at 18\d\d positions"):
        encode(words, example(30, 30))  # causal: a position for each token
    with pytest.raises(TrainingError, match=r"at 1\d\d\d positions"):
        encode(words, example(2, 600), "block")
    with pytest.raises(TrainingError, match="keep it within 4096 tokens"):
        encode(words, example(100, 30), "block")


def test_parts_must_be_the_prompt_and_ask(words) -> None:
    parts = Prompt("header", (Block("a", "line"),), (), "question")
    with pytest.raises(TrainingError, match="are not its prompt"):
        encode(words, data.Example(parts.text + " ", "on", "state", parts), "block")
    silent = Prompt("header", (Block("a", "line"),))
    with pytest.raises(TrainingError, match="has no question"):
        encode(words, data.Example(silent.text, "on", "state", silent), "block")


def test_causal_batches_need_no_mask_and_have_the_dense_loss(words, tmp_path) -> None:
    """What has no parts takes the fast path, and its loss is that of the reference."""
    examples = [data.example(random.Random(seed)) for seed in range(60)]
    plain = [encode(words, e) for e in examples if e.kind == "plain"]
    batch = collate(plain, 0.0)
    assert [group.mask for group in batch.layout.groups] == [None] * 4
    trainer = Trainer(settings(tmp_path), words)
    weights, config = dict(trainer.model.named_parameters()), trainer.model.config
    total, answers = 0.0, 0
    with torch.no_grad():
        for example in plain:
            known = dense.logits(weights, config, ([], [], [], example.ids))
            known = known.log_softmax(-1)
            for place in range(example.answer, len(example.ids)):
                total -= float(known[place - 1, example.ids[place]])
                answers += 1
    trainer.train_step([plain])
    assert trainer.loss == pytest.approx(total / answers, abs=1e-5)
    trainer.close()
