"""The gate: does a model that was not trained for block attention decide the same?

Every case is answered twice, from the plain text and from blocks. What counts are the
calls and queries; words of the reply may differ. The verdict on a model file is kept in
the user's cache folder, where `kv_plan="auto"` finds it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .engine.identity import model_digest, verdicts
from .engine.llama import KvPlan, LlamaEngine
from .engine.model import inspect_model
from .engine.probe import user_cache
from .errors import HomeError

LEAST_AGREEMENT = 0.98
"""Share of cases that must be decided alike."""

LEAST_CASES = 50
"""With fewer cases nothing can be said of one in fifty."""

Predict = Callable[[LlamaEngine, dict[str, Any], float], Awaitable[dict[str, Any]]]
"""Answers one case with an engine; `homellm_edge.cli` has it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`differing` are ids of cases; `tokens` were evaluated under each plan."""

    passed: bool
    cases: int
    agreement: float
    differing: tuple[str, ...]
    tokens: dict[str, int]


async def compare(
    model: Path,
    cases: Sequence[dict[str, Any]],
    predict: Predict,
    progress: Callable[[int, int], None],
    *,
    cache_dir: Path | None = None,
) -> Verdict:
    """Run all cases under both plans, keep the verdict, return it.

    Raises HomeError for too few cases, EngineError and its kin.
    """
    if len(cases) < LEAST_CASES:
        raise HomeError(
            f"{len(cases)} cases are too few to judge by", f"give {LEAST_CASES} or more"
        )
    decided: dict[str, list[str]] = {}
    tokens: dict[str, int] = {}
    plans: tuple[KvPlan, ...] = ("causal", "block")
    for at, plan in enumerate(plans):
        engine = LlamaEngine.load(model, kv_plan=plan)
        decided[plan], tokens[plan] = [], 0
        try:
            for number, case in enumerate(cases, 1):
                answer = await predict(engine, case, 0.0)
                decided[plan].append(repr((answer["calls"], answer["queries"])))
                tokens[plan] += answer["tokens"]["evaluated"]
                tokens[plan] += answer["refresh"]["evaluated"]
                progress(at * len(cases) + number, len(plans) * len(cases))
        finally:
            await engine.close()
    pairs = zip(decided["causal"], decided["block"], cases, strict=True)
    differing = tuple(str(case["id"]) for one, two, case in pairs if one != two)
    agreement = 1 - len(differing) / len(cases)
    passed = agreement >= LEAST_AGREEMENT
    folder = cache_dir or user_cache()
    digest = model_digest(inspect_model(model), folder)
    verdicts(folder).put(digest, "block" if passed else "causal")
    return Verdict(passed, len(cases), round(agreement, 4), differing, tokens)


def told(verdict: Verdict) -> str:
    """The verdict for a terminal."""
    words = "passed: auto now means block" if verdict.passed else "failed: causal stays"
    lines = [
        f"{verdict.cases} cases, {verdict.agreement:.1%} decided alike "
        f"(at least {LEAST_AGREEMENT:.0%} are wanted): {words}",
        f"tokens evaluated: causal {verdict.tokens['causal']}, "
        f"block {verdict.tokens['block']}",
    ]
    if verdict.differing:
        lines.append(f"differing: {', '.join(verdict.differing[:20])}")
    return "\n".join(lines)
