"""How good are the predictions of `homellm-edge eval`? Figures over cases.

`python -m training.cases CASES PRED.jsonl...`: the share of cases where exactly the
wanted calls were made and the reply fits, by source and category; how often something
was done that nobody asked for; time and tokens. `--compare` sets another model's
predictions beside these, `--expand` writes the cases as `homellm-edge eval` reads them.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from . import TrainingError
from .judging import (
    Case,
    Figures,
    Prediction,
    Verdict,
    judge,
    read_cases,
    read_predictions,
    write_lines,
)

_TOKENS = ("evaluated", "sampled", "forced")


@dataclass(frozen=True, slots=True)
class Effort:
    """Milliseconds of a turn (median and 95th of 100) and mean tokens, by kind."""

    p50: float
    p95: float
    tokens: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Paired:
    """Two sets of predictions on the same cases; `p` is McNemar's, exact."""

    both: int
    first: int
    second: int
    neither: int

    @property
    def p(self) -> float:
        """How probable a difference as large as this is if both are equally good."""
        return mcnemar(self.first, self.second)


def mcnemar(first: int, second: int) -> float:
    """The two-sided exact p of so many cases that only one of two has right."""
    count, fewer = first + second, min(first, second)
    tail = sum(math.comb(count, k) for k in range(fewer + 1))
    return min(1.0, float(2 * tail / 2**count))


def paired(first: Sequence[Verdict], second: Sequence[Verdict]) -> Paired:
    """Compare verdicts on the same cases in the same order."""
    pairs = Counter((a.strict, b.strict) for a, b in zip(first, second, strict=True))
    return Paired(
        pairs[True, True], pairs[True, False], pairs[False, True], pairs[False, False]
    )


def grouped(verdicts: Sequence[Verdict], key: str) -> dict[str, list[Verdict]]:
    """The verdicts by a text of their cases, sorted by it; all if the key is "all"."""
    found: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        found["all" if key == "all" else verdict.groups.get(key, "")].append(verdict)
    return dict(sorted(found.items()))


def effort(predictions: Sequence[Prediction]) -> Effort | None:
    """What the predictions cost, None if they do not say."""
    times = sorted(
        float(p["timing_ms"]["total"])
        for p in predictions
        if "total" in (p.get("timing_ms") or {})
    )
    if not times:
        return None
    counts = [p["tokens"] for p in predictions if p.get("tokens")]
    return Effort(
        p50=_percentile(times, 50),
        p95=_percentile(times, 95),
        tokens={
            kind: round(sum(c.get(kind, 0) for c in counts) / len(counts), 1)
            for kind in _TOKENS
            if counts
        },
    )


def confusion(verdicts: Sequence[Verdict]) -> list[tuple[str, str, int]]:
    """(wanted services, done instead, how often), the most frequent first."""
    counts = Counter(v.taken for v in verdicts if v.answered and not v.calls)
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [(wanted, done, times) for (wanted, done), times in ranked]


def _percentile(ranked: Sequence[float], percent: int) -> float:
    """Of sorted numbers, the least that so many percent are not above."""
    return ranked[max(0, math.ceil(len(ranked) * percent / 100) - 1)]


def _report(
    verdicts: Sequence[Verdict], predictions: Sequence[Prediction], keys: Sequence[str]
) -> dict[str, Any]:
    spent = effort(predictions)
    return {
        "figures": {
            key: {
                name: {**asdict(f := Figures.of(part)), "strict_ci95": f.bounds}
                for name, part in grouped(verdicts, key).items()
            }
            for key in ("all", *keys)
        },
        "effort": asdict(spent) if spent else None,
        "confusion": confusion(verdicts),
        "rows": [
            {
                "id": v.id,
                "strict": v.strict,
                "calls": v.calls,
                "reply": v.reply,
                "wrong_action": v.wrong_action,
                "outside": v.outside,
                "taken": v.taken,
            }
            for v in verdicts
        ],
    }


def _lines(
    verdicts: Sequence[Verdict], predictions: Sequence[Prediction], keys: Sequence[str]
) -> Iterator[str]:
    for key in ("all", *keys):
        yield f"-- {key}"
        for name, part in grouped(verdicts, key).items():
            f = Figures.of(part)
            low, high = f.bounds
            yield (
                f"{name:32} {f.cases:5} cases, strict {100 * f.share:5.1f} % "
                f"({100 * low:.1f} to {100 * high:.1f}), wrong actions "
                f"{_of(f.wrong_actions, f.cases)}"
            )
    f = Figures.of(verdicts)
    yield "-- safety"
    yield f"something else was done: {_of(f.wrong_actions, f.cases)}"
    yield (
        f"something was done where nothing is wanted: "
        f"{_of(f.wrong_actions_of_none, f.want_none)}"
    )
    yield f"calls outside the home: {f.outside}"
    yield f"replies that do not fit: {_of(f.replies_missed, f.replies_asked)}"
    if f.unanswered:
        yield f"cases without a prediction, which count as wrong: {f.unanswered}"
    if (spent := effort(predictions)) is not None:
        tokens = ", ".join(f"{n:g} {kind}" for kind, n in spent.tokens.items())
        yield (
            f"-- effort\np50 {spent.p50:.1f} ms, p95 {spent.p95:.1f} ms; "
            f"mean tokens: {tokens or 'not told'}"
        )


def _failures(
    cases: Sequence[Case],
    verdicts: Sequence[Verdict],
    predictions: Sequence[Prediction],
    most: int,
) -> Iterator[str]:
    if not most:
        return
    yield "-- wanted -> done instead"
    for wanted, done, times in confusion(verdicts):
        yield f"{times:5} {wanted} -> {done}"
    given = {str(p["id"]): p for p in predictions}
    wrong = [(c, v) for c, v in zip(cases, verdicts, strict=True) if not v.strict]
    yield f"-- the first {min(most, len(wrong))} of {len(wrong)} failures"
    for case, verdict in wrong[:most]:
        made = given.get(verdict.id, {})
        yield f"{verdict.id}: {case['utterance']!r}"
        yield f"  want {json.dumps(case['expect'], ensure_ascii=False)}"
        yield (
            f"  got  {json.dumps(made.get('calls'), ensure_ascii=False)} "
            f"{made.get('response')!r}"
        )


def _comparison(
    first: Sequence[Verdict], second: Sequence[Verdict], keys: Sequence[str]
) -> Iterator[str]:
    yield f"{'-- compared':32}  both  only this  only other  neither        p"
    for key in ("all", *keys):
        others = grouped(second, key)
        for name, part in grouped(first, key).items():
            pair = paired(part, others[name])
            yield (
                f"{name:32} {pair.both:5} {pair.first:10} {pair.second:11} "
                f"{pair.neither:8} {pair.p:8.2g}"
            )


def _of(part: int, whole: int) -> str:
    return f"{part} of {whole}" + (f" ({100 * part / whole:.1f} %)" if whole else "")


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command; raises TrainingError."""
    parser = argparse.ArgumentParser("python -m training.cases", description=__doc__)
    parser.add_argument("cases", type=Path, help="a .jsonl file or a folder of them")
    parser.add_argument("predictions", type=Path, nargs="*", metavar="PRED")
    parser.add_argument("--homes", type=Path, help="else homes.json beside the cases")
    parser.add_argument("--by", default="source,category", help="texts of the cases")
    parser.add_argument("--failures", type=int, default=0, metavar="N")
    parser.add_argument("--compare", type=Path, nargs="+", metavar="OTHER")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--expand", type=Path, metavar="OUT")
    arguments = parser.parse_args(argv)
    cases = read_cases([arguments.cases], arguments.homes)
    if arguments.expand:
        write_lines(cases, arguments.expand)
    if not arguments.predictions:
        if not arguments.expand:
            raise TrainingError("no predictions", "name the file of homellm-edge eval")
        return
    keys = [key for key in arguments.by.split(",") if key]
    predictions = read_predictions(arguments.predictions)
    asked = {str(case["id"]) for case in cases}
    predictions = [p for p in predictions if str(p["id"]) in asked]
    verdicts = judge(cases, predictions)
    report = _report(verdicts, predictions, keys)
    lines = [
        *_lines(verdicts, predictions, keys),
        *_failures(cases, verdicts, predictions, arguments.failures),
    ]
    if arguments.compare:
        others = judge(cases, read_predictions(arguments.compare))
        lines += _comparison(verdicts, others, keys)
        pair = paired(verdicts, others)
        report["compared"] = {**asdict(pair), "p": pair.p}
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    try:
        main()
    except TrainingError as error:
        sys.exit(f"cases: {error}")
