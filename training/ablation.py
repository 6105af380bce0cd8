"""What is each part worth? The same cases with and without it.

`python -m training.ablation CASES... --out FOLDER` answers all cases under conditions:

    rules    no language model and no encoder: matcher, nearest words, a few rules
    nearest  no language model: matcher, the encoder's likeliest meaning, the rules
    model    the language model without hints
    all      everything, as it ships

and writes one file of predictions each, a table and its figures. `--docs` puts the
table into docs/accuracy.md.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from homellm_edge.agent import Agent, Question, TurnDone
from homellm_edge.dialects import HintSource
from homellm_edge.engine.base import Backend
from homellm_edge.engine.llama import LlamaEngine
from homellm_edge.errors import HomellmEdgeError
from homellm_edge.grounding import Grounding
from homellm_edge.home import Home, home_from_dict
from homellm_edge.meaning import Meaning, MeaningHints
from homellm_edge.models import DEFAULT_MODEL, ENCODER, MEANINGS
from homellm_edge.phrases.labels import PERHAPS, Hint
from homellm_edge.simulate import SimulatedHome
from homellm_edge.word_hints import WordHints

from . import TrainingError
from .cases import effort, grouped
from .judging import Case, Figures, Prediction, judge, read_cases, write_lines
from .rules import RuleBackend

CONDITIONS = ("rules", "nearest", "model", "all")
DOCS = Path(__file__).parents[1] / "docs" / "accuracy.md"
BEGIN, END = "<!-- ablation -->", "<!-- /ablation -->"

_TITLES: Mapping[str, str] = {
    "rules": "no model, no encoder",
    "nearest": "encoder, no model",
    "model": "model, no hints",
    "all": "all",
}


class _Ranks(Protocol):
    def meanings(self, found: Grounding, home: Home) -> Sequence[Meaning]: ...


class Likeliest:
    """A `HintSource` that always gives the likeliest meaning, however unsure it is."""

    def __init__(self, source: _Ranks) -> None:
        """Take over what ranks meanings."""
        self._source = source

    def hints(self, found: Grounding, home: Home) -> Sequence[Hint]:
        """One hint, none if nothing is possible."""
        ranked = self._source.meanings(found, home)[:1]
        return [(label, PERHAPS) for label, _ in ranked]


@dataclass(frozen=True, slots=True)
class Setting:
    """What answers the cases of one condition."""

    backend: Backend
    hints: HintSource | None


@contextmanager
def setting(condition: str, model: Path) -> Iterator[Setting]:
    """Load what a condition needs, and free it."""
    if condition == "rules":
        yield Setting(RuleBackend(), Likeliest(WordHints.load()))
        return
    hints = None if condition == "model" else MeaningHints.load(ENCODER, MEANINGS)
    try:
        if condition == "nearest" and hints is not None:
            yield Setting(RuleBackend(), Likeliest(hints))
            return
        engine = LlamaEngine.load(model)
        try:
            yield Setting(engine, hints)
        finally:
            asyncio.run(engine.close())
    finally:
        if hints is not None:
            hints.close()


async def answer(chosen: Setting, case: Case) -> Prediction:
    """Answer one case, as `homellm-edge eval` does."""
    home = home_from_dict(case["home"])
    context = case.get("context") or {}
    area = home.find_area(str(context.get("area") or ""))
    now = _moment(context.get("now"))
    agent = Agent(chosen.backend, SimulatedHome(home), hints=chosen.hints)
    await agent.refresh()
    question = Question(str(case["utterance"]), area=area.id if area else None, now=now)
    done: TurnDone | None = None
    async for event in agent.turn(question):
        if isinstance(event, TurnDone):
            done = event
    if done is None:
        raise TrainingError(f"{case['id']}: the turn has no end")
    return {
        "id": case["id"],
        "response": done.response,
        "calls": [call.to_dict() for call in done.calls],
        "queries": list(done.queries),
        "tokens": {
            "evaluated": done.usage.evaluated,
            "sampled": done.usage.sampled,
            "forced": done.usage.forced,
        },
        "timing_ms": dict(done.timing_ms),
    }


def _moment(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text)) if text else None
    except ValueError:
        return None


async def predictions(chosen: Setting, cases: Sequence[Case]) -> list[Prediction]:
    """Answer all cases, one after the other."""
    return [await answer(chosen, case) for case in cases]


def figures(
    cases: Sequence[Case], answered: Mapping[str, Sequence[Prediction]]
) -> dict[str, Any]:
    """Condition -> figures by source (and `all`), and what a turn cost."""
    found: dict[str, Any] = {}
    for condition, made in answered.items():
        verdicts = judge(cases, made)
        groups = {**grouped(verdicts, "all"), **grouped(verdicts, "source")}
        spent = effort(made)
        found[condition] = {
            "by_source": {name: asdict(Figures.of(v)) for name, v in groups.items()},
            "effort": asdict(spent) if spent else None,
        }
    return found


def table(found: Mapping[str, Any]) -> str:
    """The figures as a Markdown table: strict by source, then all, safety and time."""
    columns = list(found.values())
    head = [f"| | cases | {' | '.join(_TITLES[c] for c in found)} |"]
    head.append(f"|---|---|{'---|' * len(found)}")
    sources = columns[0]["by_source"]
    names = [name for name in sources if name != "all"]
    rows = [
        _row(name, sources[name]["cases"], columns, _strict(name)) for name in names
    ]
    whole = sources["all"]
    rows.append(_row("**all**", whole["cases"], columns, _strict("all")))
    rows.append(_row("something else done", whole["cases"], columns, _wrong))
    rows.append(
        _row("done, nothing wanted", whole["want_none"], columns, _wrong_of_none)
    )
    rows.append(_row("calls outside the home", "", columns, _outside))
    rows.append(_row("ms a turn (median)", "", columns, _time))
    return "\n".join([*head, *rows])


def _row(
    title: str,
    cases: object,
    columns: Sequence[Mapping[str, Any]],
    cell: Callable[[Mapping[str, Any]], str],
) -> str:
    return f"| {title} | {cases} | {' | '.join(cell(c) for c in columns)} |"


def _strict(name: str) -> Callable[[Mapping[str, Any]], str]:
    def cell(column: Mapping[str, Any]) -> str:
        counts = column["by_source"][name]
        return _percent(counts["strict"], counts["cases"])

    return cell


def _wrong(column: Mapping[str, Any]) -> str:
    counts = column["by_source"]["all"]
    return _percent(counts["wrong_actions"], counts["cases"])


def _wrong_of_none(column: Mapping[str, Any]) -> str:
    counts = column["by_source"]["all"]
    return _percent(counts["wrong_actions_of_none"], counts["want_none"])


def _outside(column: Mapping[str, Any]) -> str:
    return str(column["by_source"]["all"]["outside"])


def _time(column: Mapping[str, Any]) -> str:
    return f"{column['effort']['p50']:.1f}" if column["effort"] else "-"


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"


def put_into(path: Path, text: str) -> None:
    """Put a text between the markers of a Markdown file, which is made if need be."""
    begin, end = f"{BEGIN}\n", f"\n{END}"
    whole = path.read_text("utf-8") if path.exists() else _NEW.format(begin, end)
    before, opened, rest = whole.partition(begin)
    _, closed, after = rest.partition(end)
    if not opened or not closed:
        raise TrainingError(
            f"{path} has no place for the table", f"write {BEGIN} and {END} into it"
        )
    path.write_text(f"{before}{begin}{text}{end}{after}", "utf-8")


_NEW = """# Accuracy

What each part is worth: the share of cases where exactly the wanted calls were made and
the reply fits, under four conditions (`python -m training.ablation CASES... --docs`).

{}{}
"""


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command; raises HomellmEdgeError."""
    parser = argparse.ArgumentParser(
        "python -m training.ablation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("cases", type=Path, nargs="+", help="files or folders")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL)
    parser.add_argument("--homes", type=Path, help="else homes.json beside the cases")
    parser.add_argument(
        "--conditions", default=",".join(CONDITIONS), help="some of the four"
    )
    parser.add_argument("--docs", action="store_true", help=f"write {DOCS.name}")
    arguments = parser.parse_args(argv)
    conditions = arguments.conditions.split(",")
    if unknown := [c for c in conditions if c not in CONDITIONS]:
        raise TrainingError(
            f"no condition is called {unknown[0]!r}", f"use {', '.join(CONDITIONS)}"
        )
    cases = read_cases(arguments.cases, arguments.homes)
    arguments.out.mkdir(parents=True, exist_ok=True)
    answered: dict[str, list[Prediction]] = {}
    for condition in conditions:
        began = time.perf_counter()
        with setting(condition, arguments.model) as chosen:
            answered[condition] = asyncio.run(predictions(chosen, cases))
        write_lines(answered[condition], arguments.out / f"{condition}.jsonl")
        took = time.perf_counter() - began
        sys.stderr.write(f"{condition}: {len(cases)} cases in {took:.1f} s\n")
    found = figures(cases, answered)
    text = table(found)
    sys.stdout.write(f"{text}\n")
    record = json.dumps({"model": arguments.model.name, **found}, indent=1) + "\n"
    (arguments.out / "table.md").write_text(f"{text}\n", "utf-8")
    (arguments.out / "figures.json").write_text(record, "utf-8")
    if arguments.docs:
        put_into(DOCS, text)
        DOCS.with_suffix(".json").write_text(record, "utf-8")


if __name__ == "__main__":
    try:
        main()
    except HomellmEdgeError as error:
        sys.exit(f"ablation: {error}")
