"""Whole runs on tiny models of the real architectures."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs torch: scripts/ensure-venv finetune")
pytest.importorskip("transformers", reason="needs transformers")
pytest.importorskip("peft", reason="needs peft")
pytest.importorskip("accelerate", reason="needs accelerate")
pytest.importorskip("sentencepiece", reason="needs sentencepiece")

import peft
import torch
import transformers
from safetensors.torch import load_file

from training import TrainingError
from training.finetune import model as models
from training.finetune import run as runs
from training.finetune.settings import Settings

torch.set_num_threads(1)
pytestmark = [
    # peft asks a model for an old name that transformers warns of
    pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning"),
    # and says that it saves embeddings of another size, as it should
    pytest.mark.filterwarnings("ignore:Setting .save_embedding_layers.:UserWarning"),
]


@pytest.fixture
def make(bases, rows, tmp_path):
    """Settings for a run of seconds."""

    def of(kind: str = "phi", **changes) -> Settings:
        given = {
            "run_name": "run",
            "train_dataset": str(rows),
            "base_model": str(bases(kind)),
            "batch_size": 4,
            "epochs": 4,
            "learning_rate": 5e-3,
            "output_dir": str(tmp_path / "out"),
            "add_chatml_tokens": True,
            "add_pad_token": True,
        }
        return Settings(**given | changes)

    return of


def load(folder: Path):
    return transformers.AutoModelForCausalLM.from_pretrained(folder).eval()


def losses(result) -> list[float]:
    return [line["loss"] for line in result.log if "loss" in line]


IDS = torch.tensor([[5, 7, 11, 200, 30, 2, 90]])


@pytest.mark.parametrize("kind", ["phi", "phi3", "llama", "gemma"])
def test_a_full_run_learns_and_its_files_are_complete(kind, make, bases) -> None:
    settings = make(kind, epochs=8)
    result = runs.fine_tune(settings)
    assert (result.steps, result.model) == (16, settings.model_folder)
    first, *_, last = losses(result)
    assert last < 0.8 * first
    model = load(result.model)
    tokenizer = transformers.AutoTokenizer.from_pretrained(result.model)
    assert tokenizer.bos_token == models.START
    assert tokenizer.eos_token == models.END
    assert tokenizer.pad_token == models.PAD
    text = f"{models.START}user\nhi{models.END}\n"
    ids = tokenizer(text)["input_ids"]
    assert ids.count(tokenizer.bos_token_id) == 1
    assert ids[0] == tokenizer.bos_token_id
    assert model.config.vocab_size % 32 == 0
    assert model.config.vocab_size == model.get_input_embeddings().weight.shape[0]
    assert model.config.vocab_size - len(tokenizer) in range(32)
    assert model.config.eos_token_id == tokenizer.eos_token_id
    names = {path.name for path in result.model.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= names
    assert not [name for name in names if name.endswith((".bin", ".py"))]
    assert ("tokenizer.model" in names) == (bases(kind) / "tokenizer.model").exists()


LORA = {"use_lora": True, "lora_rank": 4, "lora_alpha": 8, "learning_rate": 2e-2}


@pytest.mark.parametrize(
    ("kind", "chosen", "saved"),
    [
        # the seed's recipe for phi-2
        ("phi", "fc1,fc2,q_proj,v_proj,dense", "embed_tokens,lm_head"),
        ("llama", "q_proj,v_proj", ""),
        ("gemma", "q_proj,v_proj", "embed_tokens"),  # input and output are one matrix
    ],
)
def test_merged_adapters_equal_base_and_adapters(kind, chosen, saved, make) -> None:
    settings = make(
        kind, lora_modules=chosen, lora_modules_to_save=saved, lora_merge=True, **LORA
    )
    result = runs.fine_tune(settings)
    assert losses(result)[-1] < losses(result)[0]
    assert result.folder.parts[-2:] == ("loras", "run")
    assert result.model.parts[-2:] == ("models", "run")
    tokenizer = models.load_tokenizer(settings)
    base = models.load_model(settings, tokenizer).eval()
    with torch.no_grad():
        before = base(IDS).logits
        adapted = peft.PeftModel.from_pretrained(base, result.folder)(IDS).logits
        merged = load(result.model)(IDS).logits
    torch.testing.assert_close(merged, adapted, atol=1e-4, rtol=1e-4)
    assert (adapted - before).abs().max() > 1e-2
    adapters = load_file(result.folder / "adapter_model.safetensors")
    assert {name.split(".")[-3] for name in adapters if "lora_" in name} <= set(
        chosen.split(",")
    )
    for name in filter(None, saved.split(",")):
        assert any(name in key for key in adapters)


def test_the_base_is_not_trained_by_adapters(make) -> None:
    settings = make("llama", lora_modules="q_proj", **LORA)
    model = models.with_adapters(
        models.load_model(settings, models.load_tokenizer(settings)), settings
    )
    trained = [name for name, one in model.named_parameters() if one.requires_grad]
    assert trained
    assert all("lora_" in name for name in trained)


@pytest.mark.parametrize("lora", [False, True])
def test_a_resumed_run_goes_on_at_the_same_step(lora, make, tmp_path) -> None:
    more = LORA | {"lora_modules": "q_proj,dense"} if lora else {}
    settings = make(save_steps=3, output_dir=str(tmp_path / "whole"), **more)
    whole = runs.fine_tune(settings)
    parts = make(
        save_steps=3,
        output_dir=str(tmp_path / "parts"),
        resume_from_checkpoint="last",
        **more,
    )
    shutil.copytree(
        settings.run_folder / "checkpoint-3", parts.run_folder / "checkpoint-3"
    )
    resumed = runs.fine_tune(parts)
    assert whole.steps == resumed.steps == 8
    assert sorted(one.name for one in parts.run_folder.glob("checkpoint-*")) == [
        "checkpoint-3",
        "checkpoint-6",
        "checkpoint-8",
    ]
    file = "adapter_model.safetensors" if lora else "model.safetensors"
    ours = load_file(parts.run_folder / file)
    for name, tensor in load_file(settings.run_folder / file).items():
        torch.testing.assert_close(ours[name], tensor, atol=1e-6, rtol=1e-5)


def test_measuring_gives_a_loss_that_falls(make, rows) -> None:
    settings = make(test_dataset=str(rows), eval_steps=2, group_by_length=True)
    measured = [
        line["eval_loss"]
        for line in runs.fine_tune(settings).log
        if "eval_loss" in line
    ]
    assert len(measured) == 4
    assert measured[-1] < 0.8 * measured[0]  # false if one is nan


def test_flags_reach_the_trainer(make) -> None:
    arguments = runs.training_arguments(
        make(
            learning_rate_schedule="linear",
            weight_decay=0.3,
            gradient_clip=0.5,
            gradient_checkpointing=True,
            group_by_length=True,
            save_steps=70,
            save_total_limit=2,
            bf16=True,
        )
    )
    assert arguments.lr_scheduler_type == "linear"
    assert (arguments.weight_decay, arguments.max_grad_norm) == (0.3, 0.5)
    assert (arguments.per_device_train_batch_size, arguments.learning_rate) == (2, 5e-3)
    assert arguments.gradient_accumulation_steps == 2
    assert arguments.activation_checkpointing
    assert arguments.train_sampling_strategy == "group_by_length"
    assert (arguments.save_strategy, arguments.save_steps) == ("steps", 70)
    assert arguments.save_total_limit == 2
    assert arguments.bf16
    assert runs.training_arguments(make()).save_strategy == "epoch"
    assert runs.training_arguments(make()).eval_strategy == "no"


def weights(settings: Settings) -> torch.Tensor:
    folder = runs.fine_tune(settings).folder
    return load_file(folder / "model.safetensors")["model.layers.0.mlp.fc1.weight"]


def test_weight_decay_and_gradient_clip_change_what_is_learned(make, tmp_path) -> None:
    def trained(name: str, **changes) -> torch.Tensor:
        return weights(make(epochs=1, output_dir=str(tmp_path / name), **changes))

    usual = trained("usual")
    assert torch.equal(usual, trained("again"))
    assert trained("decay", weight_decay=5.0).norm() < 0.99 * usual.norm()
    # AdamW does not see a common factor; a clip near its epsilon it does
    assert not torch.allclose(usual, trained("clip", gradient_clip=1e-9), atol=1e-4)


def test_bfloat16_and_gradient_checkpointing(make) -> None:
    settings = make(
        "llama",
        bf16=True,
        gradient_checkpointing=True,
        lora_modules="q_proj",
        lora_merge=True,
        epochs=1,
        **LORA,
    )
    result = runs.fine_tune(settings)
    tensors = load_file(result.model / "model.safetensors")
    assert {tensor.dtype for tensor in tensors.values()} == {torch.bfloat16}


def test_shards_have_two_gigabytes(make, monkeypatch) -> None:
    assert models.SHARD == "2GB"
    monkeypatch.setattr(models, "SHARD", "100KB")
    folder = runs.fine_tune(make(epochs=1)).folder
    index = json.loads((folder / "model.safetensors.index.json").read_text())
    assert len(set(index["weight_map"].values())) > 1
    load(folder)


def test_a_run_does_not_overwrite_another(make) -> None:
    settings = make(epochs=1)
    settings.run_folder.mkdir(parents=True)
    (settings.run_folder / "x").touch()
    with pytest.raises(TrainingError, match="is there already"):
        runs.fine_tune(settings)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"resume_from_checkpoint": "last"}, "no checkpoint to go on from"),
        ({"resume_from_checkpoint": "/nowhere"}, "is no checkpoint"),
        ({"base_model": "/nowhere"}, "tokenizer of /nowhere cannot be loaded"),
        ({"batch_size": 3}, "no multiple"),
        ({"use_lora": True, "lora_modules": "nose"}, "no adapters can be made"),
    ],
)
def test_what_is_missing_is_said(changes, words, make) -> None:
    with pytest.raises(TrainingError, match=words):
        runs.fine_tune(make(**changes))


@pytest.mark.parametrize(
    ("flag", "package"),
    [
        ("load_in_8bit", "bitsandbytes"),
        ("load_in_4bit", "bitsandbytes"),
        ("load_as_gptq", "gptqmodel"),
        ("run_tensorboard", "tensorboard"),
    ],
)
def test_a_package_that_is_missing_is_named(flag, package, make, monkeypatch) -> None:
    for module in (models, runs):
        monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(TrainingError, match=f"{flag} needs {package}"):
        runs.fine_tune(make(use_lora=True, lora_modules="q_proj", **{flag: True}))
