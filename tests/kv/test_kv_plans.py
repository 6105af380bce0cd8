"""Which plan a model gets, and what it is asked for in vain."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gguf_factory import write_gemma3, write_llama
from homellm_edge.engine.identity import model_digest, verdicts
from homellm_edge.engine.llama import LlamaEngine
from homellm_edge.engine.model import inspect_model
from homellm_edge.errors import EngineError
from homellm_edge.kv.plans import Memory, choose, guard, sequences
from homellm_edge.models.catalogue import known_plan

PLAIN, RECURRENT, WINDOWED = Memory(), Memory(cuttable=False), Memory(window=512)


@pytest.mark.parametrize(
    ("wanted", "memory", "trained", "known", "plan"),
    [
        ("auto", PLAIN, "", "", "causal"),
        ("auto", PLAIN, "block", "", "block"),
        ("auto", PLAIN, "", "block", "block"),
        ("auto", PLAIN, "nonsense", "", "causal"),
        ("auto", RECURRENT, "block", "block", "causal"),
        ("auto", WINDOWED, "", "", "causal"),
        ("causal", PLAIN, "block", "block", "causal"),
        ("prefix", RECURRENT, "", "", "prefix"),
        ("block", WINDOWED, "", "causal", "block"),
    ],
)
def test_choice(
    wanted: str, memory: Memory, trained: str, known: str, plan: str
) -> None:
    assert choose(wanted, memory, trained=trained, known=known) == plan


def test_what_cannot_be_is_said() -> None:
    with pytest.raises(EngineError, match="recurrent"):
        choose("block", RECURRENT)
    with pytest.raises(EngineError, match="auto, block, causal, prefix"):
        choose("fast", PLAIN)


def test_sequences_and_guards() -> None:
    assert sequences("block", PLAIN) < 32
    assert sequences("causal", RECURRENT) == 1
    assert guard("causal", WINDOWED) == 255
    assert guard("block", WINDOWED) == guard("causal", PLAIN) == -1


def test_the_catalogue() -> None:
    assert known_plan("qwen2vl", "Qwen2 VL 2B") == "causal"
    assert known_plan("llama", "Llama 3.2 1B Instruct") == ""


async def test_the_model_file_and_the_gate_decide(
    tmp_path: Path, load: Callable[..., LlamaEngine], mamba_model: Path
) -> None:
    block = write_llama(
        tmp_path / "block.gguf", metadata={"homellm.attention": "block"}
    )
    assert load(block).kv_plan == "block"
    assert load().kv_plan == "causal"
    assert load(mamba_model).kv_plan == "causal"
    assert load(write_gemma3(tmp_path / "window.gguf")).kv_plan == "causal"
    plain = write_llama(tmp_path / "plain.gguf")
    digest = model_digest(inspect_model(plain), tmp_path)
    verdicts(tmp_path).put(digest, "block")
    assert load(plain, cache_dir=tmp_path).kv_plan == "block"
    verdicts(tmp_path).put(digest, "causal")
    assert load(plain, cache_dir=tmp_path).kv_plan == "causal"
