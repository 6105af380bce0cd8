"""Base models of the real architectures: two layers of 64, random, with tokenizers."""

from __future__ import annotations

import io
import json
from pathlib import Path

import sentencepiece
import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

DEVICES = ("office light", "kitchen lamp", "garage door", "ceiling fan")
TEXTS = [
    "You are 'Al', a helpful AI Assistant that controls the devices in a house.",
    "Services: light.turn_on, light.turn_off, cover.open_cover, fan.turn_on",
    "light.office 'Office Light' = on;80%",
    '{"service": "light.turn_on", "target_device": "light.office"}',
    *(f"turn on the {name} please" for name in DEVICES),
    *(f"Turning off the {name} for you." for name in DEVICES),
]
_SHAPE = {
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 512,
}


def write(kind: str, folder: Path, tokenizer=None) -> Path:
    """A base model of `kind`: llama, gemma, phi, phi3."""
    if tokenizer is None:
        tokenizer = {"llama": _llama, "gemma": _gemma}.get(kind, _byte_level)(folder)
    torch.manual_seed(7)
    size = len(tokenizer)
    if kind == "llama":
        config = transformers.LlamaConfig(
            vocab_size=size,
            intermediate_size=96,
            num_key_value_heads=2,
            tie_word_embeddings=False,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            **_SHAPE,
        )
    elif kind == "gemma":
        config = transformers.GemmaConfig(
            vocab_size=size,
            intermediate_size=96,
            num_key_value_heads=1,
            head_dim=16,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
            **_SHAPE,
        )
    elif kind == "phi":
        config = transformers.PhiConfig(
            vocab_size=size, intermediate_size=256, partial_rotary_factor=0.5, **_SHAPE
        )
    else:
        config = transformers.Phi3Config(
            vocab_size=size,
            intermediate_size=96,
            pad_token_id=0,
            bos_token_id=0,
            eos_token_id=0,
            **_SHAPE,
        )
    model = transformers.AutoModelForCausalLM.from_config(config)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def write_rows(path: Path, count: int = 8) -> Path:
    """ChatML texts, two turns each."""
    lines = []
    for number in range(count):
        name = DEVICES[number % len(DEVICES)]
        turns = [
            ("system", "Services: light.turn_on\nDevices:\nlight.office = on\n"),
            ("user", f"turn on the {name}"),
            ("assistant", f"Turning on the {name}."),
            ("user", "and off again"),
            ("assistant", f"Turning off the {name}."),
        ]
        text = "".join(
            f"<|im_start|>{role}\n{text}<|im_end|>\n" for role, text in turns
        )
        lines.append(json.dumps({"text": text}))
    path.write_text("\n".join(lines) + "\n")
    return path


def byte_level(vocab: dict[str, int] | None = None, merges=None):
    """A tokenizer as GPT-2's and phi's, with a given vocabulary or one of `TEXTS`."""
    if vocab is None:
        bpe = Tokenizer(models.BPE())
    else:
        bpe = Tokenizer(models.BPE(vocab=vocab, merges=merges))
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    bpe.post_processor = processors.ByteLevel(trim_offsets=True)
    if vocab is None:
        trainer = trainers.BpeTrainer(
            vocab_size=400,
            special_tokens=["<|endoftext|>"],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        bpe.train_from_iterator(TEXTS * 5, trainer)
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        **dict.fromkeys(("bos_token", "eos_token", "unk_token"), "<|endoftext|>"),
    )


def _byte_level(_folder: Path):
    return byte_level()


def _llama(folder: Path):
    _sentencepiece(folder, unk_id=0, bos_id=1, eos_id=2, pad_id=-1)
    return transformers.LlamaTokenizer.from_pretrained(folder, add_bos_token=True)


def _gemma(folder: Path):
    _sentencepiece(
        folder,
        pad_id=0,
        eos_id=1,
        bos_id=2,
        unk_id=3,
        bos_piece="<bos>",
        eos_piece="<eos>",
        add_dummy_prefix=False,
    )
    return transformers.GemmaTokenizer.from_pretrained(folder, add_bos_token=True)


def _sentencepiece(folder: Path, **options) -> None:
    """Train a vocabulary as llama's: BPE with a token for each byte."""
    trained = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS * 5),
        model_writer=trained,
        vocab_size=400,
        hard_vocab_limit=False,
        model_type="bpe",
        byte_fallback=True,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        minloglevel=2,
        **options,
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokenizer.model").write_bytes(trained.getvalue())
