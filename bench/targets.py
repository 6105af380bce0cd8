"""Targets beside what was reached: of a run, or of its file (targets.py RUN.json)."""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

EXPECTATIONS = Path(__file__).with_name("expectations.toml")


@dataclass(frozen=True, slots=True)
class Judged:
    """One target on one measurement; with a peer, `reached` is the ratio to it."""

    place: str
    figure: str
    target: str
    reached: float
    met: bool


def judge(rows: Iterable[Mapping[str, Any]]) -> list[Judged]:
    """Every target on every measurement of a run that it is about."""
    measured = list(rows)
    targets = tomllib.loads(EXPECTATIONS.read_text(encoding="utf-8"))["target"]
    return [
        judged
        for target in targets
        for row in measured
        if (judged := _judge(target, row, measured)) is not None
    ]


def _judge(
    target: Mapping[str, Any],
    row: Mapping[str, Any],
    rows: list[Mapping[str, Any]],
) -> Judged | None:
    params, figure = row["params"], target["figure"]
    compared = target.get("compared", "engine")
    where = {compared: "ours", **target["where"]}
    if (
        not row["group"].startswith(f"{target['group']}[")
        or any(params.get(k) != v for k, v in where.items())
        or figure not in row["extra_info"]
    ):
        return None
    reached = row["extra_info"][figure]
    peer = target.get("peer")
    if peer:
        theirs = [
            r["extra_info"][figure]
            for r in rows
            if r["params"] == {**params, compared: peer}
            and r["group"] == row["group"]
            and figure in r["extra_info"]
        ]
        if not theirs:
            return None
        reached /= theirs[0]
    met = target.get("at_least", reached) <= reached <= target.get("at_most", reached)
    bound = f">= {target['at_least']:g}" if "at_least" in target else ""
    bound = bound or f"<= {target['at_most']:g}"
    place = row["group"]
    if compared != "engine":
        place += f" {params[compared]}"
    return Judged(place, figure, f"{bound} x {peer}" if peer else bound, reached, met)


def table(judged: Iterable[Judged]) -> str:
    """One line for each target and measurement."""
    return "\n".join(
        f"{'ok' if j.met else 'MISSED':7}{j.place:40}{j.figure:18}"
        f"{j.target:24}reached {j.reached:.4g}"
        for j in judged
    )


if __name__ == "__main__":
    found = judge(json.loads(Path(sys.argv[1]).read_text())["benchmarks"])
    print(table(found))
    sys.exit(any(not j.met for j in found))
