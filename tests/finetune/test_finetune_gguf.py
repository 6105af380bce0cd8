"""llama.cpp runs what was trained: same tokens, same answers, all sizes."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs torch: scripts/ensure-venv finetune")
pytest.importorskip("transformers", reason="needs transformers")
pytest.importorskip("peft", reason="needs peft")
pytest.importorskip("sentencepiece", reason="needs sentencepiece")

import llama_cpp
import torch
import transformers

import tiny_models
from training import TrainingError
from training.finetune import gguf as ggufs
from training.finetune.run import fine_tune
from training.finetune.settings import Settings
from training.finetune.staging import stage

torch.set_num_threads(1)
PROMPT = (
    "<|im_start|>system\nServices: light.turn_on\n<|im_end|>\n"
    "<|im_start|>user\nturn on the office light<|im_end|>\n<|im_start|>assistant\n"
)
CACHE = Path(
    os.environ.get("HOMELLM_EDGE_CACHE", Path.home() / ".cache" / "homellm-edge")
)
VOCABULARY = CACHE / "vocabularies" / "ggml-vocab-gpt-2.gguf"


def _phi(folder: Path) -> Path:
    """A phi with the vocabulary of the real ones, which is GPT-2's."""
    if not VOCABULARY.exists():
        pytest.skip("needs GPT-2's vocabulary: scripts/vocabularies")
    from gguf import GGUFReader

    fields = GGUFReader(VOCABULARY).fields
    tokens = fields["tokenizer.ggml.tokens"].contents()
    merges = [tuple(m.split(" ")) for m in fields["tokenizer.ggml.merges"].contents()]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    return tiny_models.write("phi", folder, tiny_models.byte_level(vocabulary, merges))


@pytest.fixture(scope="module")
def trained(bases, tmp_path_factory: pytest.TempPathFactory):
    """Folder of a trained model by architecture, ChatML tokens added."""
    made: dict[str, Path] = {}

    def of(kind: str) -> Path:
        if kind not in made:
            folder = tmp_path_factory.mktemp(kind)
            settings = Settings(
                run_name=f"Tiny-{kind}",
                train_dataset=str(tiny_models.write_rows(folder / "rows.jsonl")),
                base_model=str(_phi(folder / "b") if kind == "phi" else bases(kind)),
                batch_size=4,
                epochs=10,
                learning_rate=1e-2,
                save_steps=1000,
                output_dir=str(folder),
                add_chatml_tokens=True,
                add_pad_token=True,
            )
            made[kind] = fine_tune(settings).folder
        return made[kind]

    return of


def continued(path: Path, ids: list[int], count: int) -> list[int]:
    """What llama.cpp writes behind `ids`, at full precision."""
    model = llama_cpp.Llama(
        str(path), n_ctx=256, n_threads=1, verbose=False, type_k=0, type_v=0
    )
    tokens = model.generate(ids, temp=0.0, repeat_penalty=1.0)
    found = [next(tokens) for _ in range(count)]
    tokens.close()
    model.close()
    return found


@pytest.mark.parametrize("kind", ["llama", "phi", "gemma"])
def test_llama_cpp_gives_the_same_tokens_and_answers(kind, trained, tmp_path) -> None:
    folder = trained(kind)
    path = tmp_path / "f32.gguf"
    ggufs.convert(folder, path, "f32")
    likeness = ggufs.compare_tokens(folder, path)
    assert likeness.alike == likeness.texts, likeness.example
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder).eval()
    ids = tokenizer(PROMPT)["input_ids"]
    assert ids.count(tokenizer.bos_token_id) == 3
    with torch.no_grad():
        wanted = list(ids)
        for _ in range(16):
            logits = model(torch.tensor([wanted])).logits[0, -1]
            wanted.append(int(logits.argmax()))
    assert continued(path, ids, 16) == wanted[len(ids) :]


def test_a_gguf_file_knows_the_tokens_that_were_added(trained, tmp_path) -> None:
    for kind in ("llama", "gemma"):
        folder = trained(kind)
        path = tmp_path / f"{kind}.gguf"
        ggufs.convert(folder, path)
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        model = llama_cpp.Llama(str(path), vocab_only=True, verbose=False)
        assert model.token_eos() == tokenizer.eos_token_id
        assert model.token_bos() == tokenizer.bos_token_id
        assert model.metadata.get("tokenizer.ggml.add_bos_token") == "false"
        assert "<|im_start|>" in model.metadata["tokenizer.chat_template"]
        ids = model.tokenize(b"<|im_end|>", add_bos=False, special=True)
        assert ids == [tokenizer.eos_token_id]
        model.close()


def test_a_llama_that_only_has_tokenizer_json_is_padded(trained, tmp_path) -> None:
    model = tmp_path / "model"
    model.mkdir()
    for source in trained("llama").iterdir():
        if source.is_file() and source.name != "tokenizer.model":
            (model / source.name).write_bytes(source.read_bytes())
    size = json.loads((model / "config.json").read_text())["vocab_size"]
    assert size > len(transformers.AutoTokenizer.from_pretrained(model))
    ggufs.convert(model, tmp_path / "x.gguf")
    loaded = llama_cpp.Llama(str(tmp_path / "x.gguf"), n_ctx=64, verbose=False)
    assert loaded.n_vocab() == size
    loaded.close()
    # there llama.cpp's converter loses the order of the merges; it must be noticed
    likeness = ggufs.compare_tokens(model, tmp_path / "x.gguf")
    assert likeness.alike < likeness.texts
    assert likeness.example


def test_a_base_without_chatml_is_split_alike(bases, tmp_path) -> None:
    ggufs.convert(bases("llama"), tmp_path / "x.gguf")
    likeness = ggufs.compare_tokens(bases("llama"), tmp_path / "x.gguf")
    assert likeness.alike == likeness.texts, likeness.example


def test_every_type_can_be_written_and_loaded(trained, tmp_path, capsys) -> None:
    names = ["Q2_K", "Q3_K_M", "Q4_K_M", "Q5_K_M", "Q8_0", "f16"]
    assert set(ggufs.SEEDS) == set(names)
    arguments = [str(trained("llama")), "--out", str(tmp_path)]
    ggufs._main([*arguments, "--quantize", ", ".join(ggufs.TYPES)])
    assert "5 of 5 texts split alike" in capsys.readouterr().out
    sizes = {}
    for name in ggufs.TYPES:
        path = tmp_path / f"Tiny-llama.{name}.gguf"
        sizes[name] = path.stat().st_size
        assert len(continued(path, [1, 5, 7], 2)) == 2
        kind = llama_cpp.Llama(str(path), vocab_only=True, verbose=False)
        assert kind.metadata["general.file_type"] == str(ggufs.TYPES[name])
        kind.close()
    assert sizes["Q4_0"] < sizes["Q8_0"] < sizes["f16"]
    assert len(list(tmp_path.iterdir())) == len(ggufs.TYPES)  # nothing else is left


def test_what_cannot_be_converted_is_said(trained, tmp_path) -> None:
    with pytest.raises(TrainingError, match="no type 'Q9'"):
        ggufs.make(trained("llama"), ["Q9"], tmp_path)
    with pytest.raises(TrainingError, match="is no model"):
        ggufs.make(tmp_path, ["f16"], tmp_path / "out")
    (tmp_path / "x.gguf").write_bytes(b"GGUF")
    with pytest.raises(TrainingError, match="cannot quantize"):
        ggufs.quantize(tmp_path / "x.gguf", tmp_path / "y.gguf", "Q8_0")
    (tmp_path / "config.json").write_text('{"architectures": ["NoSuchModel"]}')
    (tmp_path / "model.safetensors").touch()
    with pytest.raises(TrainingError, match=r"cannot convert.*NoSuchModel"):
        ggufs.convert(tmp_path, tmp_path / "z.gguf")
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(TrainingError, match="--lora_merge"):
        ggufs.make(tmp_path, ["f16"], tmp_path / "out")


def test_a_models_code_does_not_reach_the_converter(trained, tmp_path) -> None:
    model, staged = tmp_path / "model", tmp_path / "staged"
    model.mkdir()
    staged.mkdir()
    for source in trained("gemma").iterdir():
        if source.is_file():
            (model / source.name).write_bytes(source.read_bytes())
    for name in ("config.json", "tokenizer_config.json"):
        content = json.loads((model / name).read_text())
        content["auto_map"] = {"AutoTokenizer": ["evil.Tokenizer", None]}
        (model / name).write_text(json.dumps(content))
    (model / "evil.py").write_text("raise SystemExit")
    (model / "pytorch_model.bin").touch()
    before = {path: path.read_bytes() for path in model.iterdir()}
    stage(model, staged)
    assert before == {path: path.read_bytes() for path in model.iterdir()}
    assert not (staged / "evil.py").exists()
    assert not (staged / "pytorch_model.bin").exists()
    for path in staged.glob("*.json"):
        assert "auto_map" not in path.read_text(), path.name
