"""A turn's generation: prompt in, answer out, with the default model.

Group `turn`: ours beside llama-cpp-python's own `Llama` with its grammar sampler (what
an integration gets that calls it), same model file, prompts, grammars and thread count,
greedy. `extra_info` has figures per token from a pass of their own with clocks in it.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from homellm_edge.dialects import DIALECTS, PromptOptions, Situation
from homellm_edge.engine import llama
from homellm_edge.engine.base import Request, Usage
from homellm_edge.grammar.constraint import Constraint, Constraints
from homellm_edge.grounding import Grounder
from homellm_edge.home import load_home
from homellm_edge.models import DEFAULT_MODEL

HOME = Path(__file__).parents[1] / "examples" / "demo_home.yaml"
SENTENCES = (
    "turn on the kitchen light",
    "dim the kitchen light to 30 %",
    "set the thermostat to 21",
    "open the blinds",
    "is the front door locked?",
    "pause the living room speaker",
    "turn off the fan and the kitchen light",
    "turn on all lights in the kitchen",
    "how many lights are on?",
    "what is the temperature in the bedroom?",
)


def requests() -> list[Request]:
    """What the agent asks of the engine for each sentence."""
    home = load_home(HOME)
    grounder = Grounder(home)
    return [
        DIALECTS["grounded"].request(
            Situation(home, sentence, grounder.ground(sentence, None, ())),
            PromptOptions(),
        )
        for sentence in SENTENCES
    ]


class Clocks:
    """Seconds spent in functions, by a name of ours."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    @contextmanager
    def on(self, name: str, owner: Any, *functions: str) -> Iterator[None]:
        """Count the time in these functions of a module, class or object."""
        before = {function: getattr(owner, function) for function in functions}
        for function, original in before.items():
            setattr(owner, function, self._timed(name, original))
        try:
            yield
        finally:
            for function, original in before.items():
                setattr(owner, function, original)

    def _timed(self, name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any, **options: Any) -> Any:
            started = time.perf_counter()
            try:
                return original(*arguments, **options)
            finally:
                self.seconds[name] += time.perf_counter() - started

        return timed


def noted(benchmark: Any, clocks: Clocks, turns: int, tokens: int, forced: int) -> None:
    """Write the figures of a pass with clocks."""
    spent = clocks.seconds
    total = sum(spent.values())
    benchmark.extra_info.update(
        tokens_out=tokens,
        forced_share=round(forced / tokens, 4),
        sampling_share=round((spent["sampling"] + spent["compile"]) / total, 4),
        sampling_us_per_token=round(spent["sampling"] / tokens * 1e6, 2),
        compile_us_per_turn=round(spent["compile"] / turns * 1e6, 1),
    )


@pytest.mark.parametrize("engine", ["ours"])
@pytest.mark.benchmark(group="turn[default]")
def test_turn_ours(benchmark: Any, engine: str) -> None:
    asked = requests()
    loop = asyncio.new_event_loop()
    model = llama.LlamaEngine.load(DEFAULT_MODEL, probe=False, n_threads=1)

    async def answer(request: Request, usage: Usage) -> bytes:
        return b"".join([chunk async for chunk in model.generate(request, usage)])

    def turns() -> tuple[list[bytes], Usage]:
        usage = Usage()
        return [loop.run_until_complete(answer(r, usage)) for r in asked], usage

    try:
        clocks = Clocks()
        with (
            clocks.on("compile", Constraints, "begin"),
            clocks.on("sampling", llama, "next_token"),
            clocks.on("sampling", Constraint, "forced", "accept"),
            clocks.on("decoding", model._native.session, "ask", "extend"),
        ):
            _, usage = turns()  # every grammar is new here
        tokens = usage.sampled + usage.forced
        noted(benchmark, clocks, len(asked), tokens, usage.forced)
        benchmark.extra_info["tokens_evaluated"] = usage.evaluated
        outputs, _ = benchmark(turns)
        assert all(output.endswith(b"```") for output in outputs)
    finally:
        loop.run_until_complete(model.close())
        loop.close()


@pytest.mark.parametrize("engine", ["llama-cpp-python"])
@pytest.mark.benchmark(group="turn[default]")
def test_turn_llama_cpp_python(benchmark: Any, engine: str) -> None:
    from llama_cpp import Llama, LlamaGrammar

    asked = requests()
    model = Llama(str(DEFAULT_MODEL), n_ctx=4096, n_threads=1, verbose=False)

    def answer(request: Request) -> tuple[bytes, int]:
        prompt = request.prompt
        text = prompt.text
        tokens = model.tokenize(text.encode(), add_bos=False, special=True)
        written: list[int] = []
        grammar = LlamaGrammar.from_string(request.grammar or "", verbose=False)
        for token in model.generate(tokens, temp=0.0, top_k=1, grammar=grammar):
            if token == model.token_eos() or len(written) >= request.max_tokens:
                break
            written.append(token)
        return model.detokenize(written), len(written)

    def turns() -> list[tuple[bytes, int]]:
        return [answer(request) for request in asked]

    clocks = Clocks()
    with (
        clocks.on("compile", LlamaGrammar, "from_string"),
        clocks.on("sampling", model, "sample"),
        clocks.on("decoding", model, "eval"),
    ):
        total = sum(count for _, count in turns())
    noted(benchmark, clocks, len(asked), total, 0)
    outputs = benchmark(turns)
    assert all(output.endswith(b"```") for output, _ in outputs)
