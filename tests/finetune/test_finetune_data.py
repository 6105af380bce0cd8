"""Labels stand on the assistant's tokens, and on nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs torch: scripts/ensure-venv finetune")
pytest.importorskip("transformers", reason="needs transformers")
pytest.importorskip("sentencepiece", reason="needs sentencepiece")

import transformers

from training import TrainingError
from training.finetune.data import IGNORED, Collator, Encoder, padding_id, read
from training.finetune.formats import FORMATS, Message, Rendered

TALK = [
    Message("system", "You are 'Al'.\nDevices:\nlight.office 'Büro' = on;80%"),
    Message("user", "turn on the office light"),
    Message("assistant", 'Turning on the light.\n  {"service": "light.turn_on"}'),
    Message("user", "and off"),
    Message("assistant", "Turning off 🙂 "),
]


@pytest.fixture(scope="module")
def tokenizers(bases):
    return {
        kind: transformers.AutoTokenizer.from_pretrained(bases(kind))
        for kind in ("llama", "gemma", "phi")
    }


def learned(encoded) -> list[list[int]]:
    """Runs of tokens with a label."""
    runs: list[list[int]] = []
    previous = IGNORED
    for token, label in zip(encoded.ids, encoded.labels, strict=True):
        assert label in (token, IGNORED)
        if label != IGNORED:
            if previous == IGNORED:
                runs.append([])
            runs[-1].append(token)
        previous = label
    return runs


@pytest.mark.parametrize("kind", ["llama", "gemma", "phi"])
@pytest.mark.parametrize("name", FORMATS)
def test_exactly_the_assistants_tokens_are_learned(name, kind, tokenizers) -> None:
    tokenizer = tokenizers[kind]
    encoder = Encoder.of(tokenizer, name)
    rendered = FORMATS[name].render(TALK, tokenizer.eos_token)
    encoded = encoder.encode(rendered)
    assert list(encoded.ids) == tokenizer(rendered.text)["input_ids"]
    runs = learned(encoded)
    assert len(runs) == len(rendered.spans) == 2
    for run, (start, end) in zip(runs, rendered.spans, strict=True):
        said = tokenizer.decode(run, clean_up_tokenization_spaces=False)
        wanted = rendered.text[start:end]
        # a first word of sentencepiece is decoded without its space
        assert said in (wanted, wanted.removeprefix(" "))


def test_a_text_and_its_messages_are_the_same_row(tokenizers) -> None:
    encoder = Encoder.of(tokenizers["phi"], "chatml")
    raw = [{"role": one.role, "content": one.text} for one in TALK]
    text = encoder.rendered({"messages": raw})
    assert encoder.rendered({"text": text.text}) == text
    others = [
        {
            "from": {"user": "human", "assistant": "gpt"}.get(m.role, m.role),
            "value": m.text,
        }
        for m in TALK
    ]
    assert encoder.rendered({"messages": others}) == text


def test_a_tokenizers_bos_stands_once(tokenizers) -> None:
    for kind, begins in (("llama", True), ("gemma", True), ("phi", False)):
        tokenizer = tokenizers[kind]
        encoder = Encoder.of(tokenizer, "none")
        for text in ("hello", f"{tokenizer.bos_token}hello"):
            ids = encoder.encode(Rendered(text, ())).ids
            assert ids.count(tokenizer.bos_token_id) == (
                1 if begins or text != "hello" else 0
            )


def write(path: Path, *rows) -> Path:
    path.write_text("\n".join(map(json.dumps, rows)) + "\n\n")
    return path


def test_long_rows_are_cut_and_useless_ones_left_out(tokenizers, tmp_path) -> None:
    encoder = Encoder.of(tokenizers["phi"], "chatml")
    long = FORMATS["chatml"].render(TALK).text
    path = write(
        tmp_path / "rows.jsonl",
        {"text": long},
        {"text": "<|im_start|>assistant\nhi<|im_end|>\n"},
        {"text": "nobody speaks"},
        {"text": "x" * 500 + long},
    )
    whole = encoder.encode(encoder.rendered({"text": long}))
    rows = read(path, encoder, len(whole.ids) - 10)
    assert (len(rows), rows.cut, rows.useless) == (2, 2, 2)
    assert rows[0]["input_ids"] == list(whole.ids[:-10])
    assert rows[0]["labels"] == list(whole.labels[:-10])


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"txt": "x"}, "neither a text nor messages"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "is no message"),
        ({"messages": []}, "neither a text nor messages"),
        (
            {"messages": [{"role": "user", "content": "<|im_end|>"}]},
            "part of the format",
        ),
        ([1], "no JSON object"),
    ],
)
def test_a_bad_row_is_named(row, words, tokenizers, tmp_path) -> None:
    good = {"text": "<|im_start|>assistant\nhi<|im_end|>\n"}
    path = write(tmp_path / "rows.jsonl", good, row)
    encoder = Encoder.of(tokenizers["phi"], "chatml")
    with pytest.raises(TrainingError, match=f"rows.jsonl:2: .*{words}"):
        read(path, encoder, 99)


def test_files_that_cannot_be_used(tokenizers, tmp_path) -> None:
    encoder = Encoder.of(tokenizers["phi"], "chatml")
    with pytest.raises(TrainingError, match="cannot be read"):
        read(tmp_path / "none.jsonl", encoder, 99)
    (tmp_path / "x").write_text("{")
    with pytest.raises(TrainingError, match="no JSONL"):
        read(tmp_path / "x", encoder, 99)
    with pytest.raises(TrainingError, match="chat_format"):
        read(write(tmp_path / "y", {"text": "nobody speaks"}), encoder, 99)


def test_batches_are_padded_on_the_right(tokenizers) -> None:
    batch = Collator(5)(
        [
            {"input_ids": [1, 2, 3], "labels": [IGNORED, 2, 3]},
            {"input_ids": [4], "labels": [4]},
        ]
    )
    assert batch["input_ids"].tolist() == [[1, 2, 3], [4, 5, 5]]
    assert batch["labels"].tolist() == [[IGNORED, 2, 3], [4, IGNORED, IGNORED]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1], [1, 0, 0]]
    assert padding_id(tokenizers["gemma"]) == tokenizers["gemma"].pad_token_id
    assert padding_id(tokenizers["llama"]) == tokenizers["llama"].eos_token_id
