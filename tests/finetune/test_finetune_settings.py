"""The flags: the seed's names and defaults, both spellings, what excludes what."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from training import TrainingError
from training.finetune.settings import Settings, modules, parse

NEEDED = ["--run_name", "r", "--train_dataset", "t.jsonl", "--base_model", "b"]
SEEDS = {
    "ctx_size": 2048,
    "bf16": False,
    "batch_size": 8,
    "micro_batch_size": 2,
    "epochs": 1,
    "learning_rate": 1e-5,
    "learning_rate_schedule": "cosine",
    "weight_decay": 0.1,
    "gradient_clip": 1.0,
    "eval_steps": 100,
    "save_steps": -1,
    "group_by_length": False,
    "load_in_8bit": False,
    "load_in_4bit": False,
    "load_as_gptq": False,
    "use_lora": False,
    "lora_rank": 4,
    "lora_alpha": 32,
    "lora_dropout": 0.05,
    "lora_merge": False,
    "add_pad_token": False,
    "add_chatml_tokens": False,
    "gradient_checkpointing": False,
    "run_tensorboard": False,
}


def settings(**changes) -> Settings:
    return Settings(run_name="r", train_dataset="t", base_model="b", **changes)


def test_defaults_are_the_seeds() -> None:
    found = asdict(parse(NEEDED))
    assert {name: found[name] for name in SEEDS} == SEEDS
    assert (found["run_name"], found["base_model"]) == ("r", "b")
    for name in ("test_dataset", "resume_from_checkpoint", "lora_modules"):
        assert found[name] == ""


def test_flags_may_have_dashes() -> None:
    dashed = [word.replace("_", "-") for word in NEEDED]
    more = ["--lora-rank", "32", "--use-lora", "--bf16", "true", "--lora-merge=false"]
    found = parse([*dashed, *more])
    assert (found.lora_rank, found.use_lora, found.bf16) == (32, True, True)
    assert found.lora_merge is False


@pytest.mark.parametrize("wrong", [["--bf"], ["--bf16", "maybe"], ["--epochs", "x"]])
def test_nonsense_ends_with_a_message(wrong: list[str], capsys) -> None:
    with pytest.raises(SystemExit):
        parse([*NEEDED, *wrong])
    assert wrong[0] in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"load_in_8bit": True, "load_in_4bit": True, "use_lora": True}, "exclude"),
        ({"load_in_4bit": True, "load_as_gptq": True, "use_lora": True}, "exclude"),
        ({"load_in_4bit": True}, "add --use_lora"),
        ({"load_as_gptq": True, "use_lora": True, "lora_merge": True}, "GPTQ"),
        ({"lora_merge": True}, "add --use_lora"),
        ({"micro_batch_size": 0}, "micro_batch_size is 0"),
        ({"learning_rate": float("nan")}, "learning_rate is nan"),
        ({"save_steps": 0}, "save_steps is 0"),
        ({"lora_dropout": 1.0}, "lora_dropout is 1.0"),
        ({"run_name": "../x"}, "no name of a folder"),
    ],
)
def test_what_cannot_be_is_refused(changes: dict, words: str) -> None:
    with pytest.raises(TrainingError, match=words):
        Settings(**{"run_name": "r", "train_dataset": "t", "base_model": "b"} | changes)


def test_rows_of_a_step_are_accumulated_over_all_processes() -> None:
    assert settings().accumulation(1) == 4
    assert settings().accumulation(2) == 2
    with pytest.raises(TrainingError, match="no multiple"):
        settings(batch_size=6).accumulation(2)


def test_adapters_and_models_go_to_folders_of_their_own() -> None:
    assert str(settings().run_folder) == "models/r"
    lora = settings(use_lora=True, output_dir="out")
    assert (str(lora.run_folder), str(lora.model_folder)) == (
        "out/loras/r",
        "out/models/r",
    )


def test_lists_of_modules() -> None:
    assert modules(" fc1,fc2 ,,dense") == ["fc1", "fc2", "dense"]
    assert modules("") == []
