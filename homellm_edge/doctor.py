"""Examines machine, engine and model, and says what to expect of them."""

from __future__ import annotations

import asyncio
import os
import platform
import statistics
import time
from pathlib import Path
from typing import Any

from .agent import Agent, Question, TurnDone
from .engine.base import Request, Usage
from .engine.library import load_library
from .engine.llama import LlamaEngine, default_threads
from .engine.model import available_memory, inspect_model
from .engine.probe import board_name, cpu_features, probe_model
from .errors import HomellmEdgeError
from .home import Home, home_from_dict
from .prompt import Prompt
from .simulate import SimulatedHome

_MIB = 1 << 20
_SENTENCES = (
    "turn on the desk lamp",
    "set the desk lamp to 40 percent",
    "is the desk lamp on?",
)
_OF_INTEREST = ("asimd", "asimddp", "asimdhp", "i8mm", "sve", "avx2", "avx512f", "fma")


def examine(model: Path) -> dict[str, Any]:
    """Everything that can be found out in a few seconds; `ok` tells the verdict."""
    features = cpu_features()
    report: dict[str, Any] = {
        "ok": False,
        "board": board_name() or platform.machine(),
        "python": platform.python_version(),
        "cores": os.cpu_count() or 1,
        "threads": default_threads(),
        "cpu_features": [f for f in _OF_INTEREST if f in features],
        "memory_free_mib": available_memory() // _MIB,
        "model": {"path": str(model)},
        "advice": [],
    }
    try:
        info = inspect_model(model)
        report["model"] |= {
            "name": info.name,
            "architecture": info.architecture,
            "file_mib": round(info.file_bytes / _MIB, 1),
            "prompt_format": info.prompt_format or "chatml",
            "context_trained": info.n_ctx_train,
        }
        began = time.perf_counter()
        probe_model(info)
        report["probe_ms"] = round((time.perf_counter() - began) * 1000)
        library = load_library()
        report["engine"] = {"version": library.version, "path": str(library.path)}
        report["speed"] = asyncio.run(_measure(model))
        report["ok"] = True
    except HomellmEdgeError as err:
        report["error"] = str(err)
        report["advice"].append(err.cure or str(err))
    report["advice"] += _advice(report)
    return report


def told(report: dict[str, Any]) -> str:
    """The report for a terminal."""
    model, speed = report["model"], report.get("speed")
    lines = [
        f"board     {report['board']}, {report['cores']} cores, "
        f"{report['memory_free_mib']} MiB free",
        f"CPU       {' '.join(report['cpu_features']) or 'no special instructions'}",
        f"Python    {report['python']}",
        f"model     {model.get('name') or model['path']}",
    ]
    if "file_mib" in model:
        lines.append(
            f"          {model['architecture']}, {model['file_mib']} MiB, "
            f"prompt format {model['prompt_format']}"
        )
    if "engine" in report:
        lines.append(f"engine    {report['engine']['version']}")
    if speed:
        lines += [
            f"speed     {speed['prefill_tokens_per_s']} tokens/s prefill, "
            f"{speed['decode_tokens_per_s']} tokens/s decode",
            f"answer    {speed['answer_ms']} ms (median of {len(_SENTENCES)}), "
            f"load {speed['load_ms']} ms",
        ]
    if "error" in report:
        lines.append(f"error     {report['error']}")
    lines += [f"advice    {text}" for text in report["advice"]]
    lines.append("result    ready" if report["ok"] else "result    not usable")
    return "\n".join(lines)


async def _measure(model: Path) -> dict[str, Any]:
    began = time.perf_counter()
    engine = LlamaEngine.load(model)
    load_ms = (time.perf_counter() - began) * 1000
    try:
        speed = await _token_speed(engine)
        executor = SimulatedHome(_desk())
        agent = Agent(engine, executor)
        await agent.refresh()
        times = [
            event.timing_ms["total"]
            for text in _SENTENCES
            async for event in agent.turn(Question(text))
            if isinstance(event, TurnDone)
        ]
    finally:
        await engine.close()
    return {
        "load_ms": round(load_ms),
        "answer_ms": round(statistics.median(times), 1),
        **speed,
    }


async def _token_speed(engine: LlamaEngine) -> dict[str, int]:
    """Prefill of some 200 tokens, then the decoding of 32, in tokens per second."""
    text = "turn on the lamp in the room " * 30
    began = time.perf_counter()
    evaluated = await engine.refresh(Prompt(header=text))
    prefill_s = time.perf_counter() - began
    usage = Usage()
    # A model that wants to stop at once is not let go before 200 letters.
    request = Request(
        Prompt(header=text, question="and"),
        grammar="root ::= [a-z ]{200}",
        max_tokens=32,
    )
    async for _ in engine.generate(request, usage):
        pass
    decode_s = max(usage.total_ms - usage.first_byte_ms, 0.01) / 1000
    return {
        "prefill_tokens_per_s": round(evaluated / max(prefill_s, 1e-6)),
        "decode_tokens_per_s": round(max(usage.sampled - 1, 0) / decode_s),
    }


def _desk() -> Home:
    lamp = {"entity_id": "light.desk", "name": "Desk Lamp", "state": "off"}
    return home_from_dict({"entities": [lamp]})


def _advice(report: dict[str, Any]) -> list[str]:
    advice = []
    speed = report.get("speed")
    if speed and speed["answer_ms"] > 1500:
        advice.append(
            "answers take over 1.5 s: use the embedded model or a smaller one"
        )
    if report["cores"] > 1 and report["threads"] >= report["cores"]:
        advice.append("leave one core to Home Assistant: set threads to cores - 1")
    if report["ok"] and not advice:
        advice.append("nothing to improve")
    return advice
