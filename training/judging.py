"""Cases with their homes, and what is to be said of a prediction for each.

A case is a sentence, the home it was said in, and the calls and the reply that are
right; a prediction is a line that `homellm-edge eval` writes.
"""

from __future__ import annotations

import copy
import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import TrainingError
from .equality import Deed, deeds, reply_fits, targets, unmatched

Case = Mapping[str, Any]
Prediction = Mapping[str, Any]

NOTHING, NO_MORE, A_PART = "nothing", "nothing more", "only a part"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is right and wrong about one prediction.

    `wrong_action` is a deed that is in no list of the case; `outside` are entities that
    were called and are not in the home; `taken` names what was wanted and what was done
    instead, "" if the calls are right.
    """

    id: str
    groups: Mapping[str, str]
    answered: bool
    calls: bool
    reply: bool
    reply_asked: bool
    wants_none: bool
    wrong_action: bool
    outside: tuple[str, ...]
    taken: tuple[str, str] = ("", "")

    @property
    def strict(self) -> bool:
        """Exactly the calls that are wanted, and a reply that fits."""
        return self.calls and self.reply


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts over some verdicts."""

    cases: int
    strict: int
    unanswered: int
    wrong_actions: int
    want_none: int
    wrong_actions_of_none: int
    outside: int
    replies_asked: int
    replies_missed: int

    @classmethod
    def of(cls, verdicts: Sequence[Verdict]) -> Figures:
        """Count."""
        silent = [v for v in verdicts if v.wants_none]
        asked = [v for v in verdicts if v.reply_asked]
        return cls(
            cases=len(verdicts),
            strict=sum(v.strict for v in verdicts),
            unanswered=sum(not v.answered for v in verdicts),
            wrong_actions=sum(v.wrong_action for v in verdicts),
            want_none=len(silent),
            wrong_actions_of_none=sum(v.wrong_action for v in silent),
            outside=sum(len(v.outside) for v in verdicts),
            replies_asked=len(asked),
            replies_missed=sum(not v.reply for v in asked),
        )

    @property
    def share(self) -> float:
        """The share of strictly right ones."""
        return self.strict / self.cases if self.cases else 0.0

    @property
    def bounds(self) -> tuple[float, float]:
        """Wilson's interval of the share, 95 %."""
        if not self.cases:
            return 0.0, 0.0
        z, n, p = 1.96, self.cases, self.share
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
        return max(0.0, middle - half), min(1.0, middle + half)


def read_cases(paths: Iterable[Path], homes: Path | None = None) -> list[Case]:
    """All cases of files or folders of .jsonl files, each with its home in line.

    Named homes are those of `homes`, or of the homes.json beside the cases. Raises
    TrainingError.
    """
    cases: list[Case] = []
    for path in paths:
        files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
        if not files:
            raise TrainingError(f"{path} holds no .jsonl file", "name a file of cases")
        for file in files:
            known = _homes(homes or file.with_name("homes.json"))
            cases += [_case(where, row, known) for where, row in _rows(file)]
    return [*_once(cases, "case")]


def read_predictions(paths: Iterable[Path]) -> list[Prediction]:
    """The predictions of all files together. Raises TrainingError."""
    found = [row for path in paths for where, row in _rows(path)]
    return [*_once(found, "prediction")]


def write_lines(rows: Iterable[Mapping[str, Any]], path: Path) -> None:
    """Write JSON objects, one a line."""
    text = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
    path.write_text(text, "utf-8")


def judge(cases: Iterable[Case], predictions: Iterable[Prediction]) -> list[Verdict]:
    """A verdict on every case; one without a prediction is wrong."""
    given = {str(p["id"]): p for p in predictions}
    return [verdict(case, given.get(str(case["id"]))) for case in cases]


def verdict(case: Case, prediction: Prediction | None) -> Verdict:
    """What is right and wrong about the prediction for a case."""
    expect: Mapping[str, Any] = case["expect"]
    spec = expect.get("response")
    calls = (prediction or {}).get("calls") or []
    made = deeds(calls)
    known = {e["entity_id"] for e in case["home"]["entities"]}
    named = [t for call in calls if isinstance(call, Mapping) for t in targets(call)]
    judged = expect.get("calls") is not None
    lists = [expect.get("calls") or [], *expect.get("alternatives", [])]
    options = [deeds(option) for option in lists]
    taken = _nearest(options, made) if judged else None
    return Verdict(
        id=str(case["id"]),
        groups={k: str(v) for k, v in case.items() if isinstance(v, str)},
        answered=prediction is not None,
        calls=prediction is not None and taken is None,
        reply=prediction is not None and reply_fits(spec, prediction.get("response")),
        reply_asked=bool(spec),
        wants_none=judged and not any(options),
        wrong_action=judged
        and any(
            all(unmatched(option, [deed])[1] for option in options) for deed in made
        ),
        outside=tuple(t for t in dict.fromkeys(named) if t not in known),
        taken=taken or ("", ""),
    )


def _nearest(
    options: Sequence[Sequence[Deed]], made: Sequence[Deed]
) -> tuple[str, str] | None:
    """None if one of the options was done; else (wanted, done) of the nearest."""
    differing = [(*unmatched(option, made), option) for option in options]
    missing, extra, option = min(differing, key=lambda d: len(d[0]) + len(d[1]))
    if not missing and not extra:
        return None
    wanted = sorted({deed.service for deed in missing})
    done = sorted({_named(deed, missing) for deed in extra})
    return (
        " + ".join(wanted) or (NO_MORE if option else NOTHING),
        " + ".join(done) or (A_PART if made else NOTHING),
    )


def _named(deed: Deed, missing: Sequence[Deed]) -> str:
    """A deed's service, and what is wrong if it is not that."""
    alike = [m for m in missing if m.service == deed.service]
    if not alike:
        return deed.service
    here = any(m.entity == deed.entity for m in alike)
    return f"{deed.service} ({'other data' if here else 'other target'})"


def _homes(path: Path) -> Mapping[str, Any]:
    if not path.exists():
        return {}
    try:
        homes = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise TrainingError(f"cannot read {path} ({error})", "check it") from error
    if not isinstance(homes, dict):
        raise TrainingError(f"{path} holds no homes by name", "see the case format")
    return homes


def _case(where: str, row: Mapping[str, Any], homes: Mapping[str, Any]) -> Case:
    if missing := {"home", "utterance", "expect"} - row.keys():
        raise TrainingError(f"{where}: {', '.join(sorted(missing))} missing", "add it")
    home = row["home"]
    if "base" in home:
        home = _with_states(where, home, homes)
    if not isinstance(home.get("entities"), list):
        raise TrainingError(f"{where}: a home without entities", "list them")
    return {**row, "home": home, **{k: row.get(k, "") for k in ("source", "category")}}


def _with_states(
    where: str, home: Mapping[str, Any], homes: Mapping[str, Any]
) -> Mapping[str, Any]:
    base = homes.get(home["base"])
    if base is None:
        raise TrainingError(
            f"{where}: no home is called {home['base']!r}",
            "put homes.json beside the cases, or name it with --homes",
        )
    made: dict[str, Any] = copy.deepcopy(base)
    for entity in made["entities"]:
        change = (home.get("states") or {}).get(entity["entity_id"])
        if not change:
            continue
        if change.get("state") is not None:
            entity["state"] = change["state"]
        entity.setdefault("attributes", {}).update(change.get("attributes") or {})
    return made


def _rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """(file:line, object) of each line."""
    try:
        lines = path.read_text("utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise TrainingError(f"cannot read {path} ({error})", "check it") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise TrainingError(
                f"{path}:{number}: {error}", "one JSON object a line"
            ) from error
        if not isinstance(row, dict) or "id" not in row:
            raise TrainingError(f"{path}:{number}: no id", "give it one")
        yield f"{path}:{number}", row


def _once(rows: Sequence[Case], kind: str) -> Sequence[Case]:
    twice = [i for i, n in Counter(str(r["id"]) for r in rows).items() if n > 1]
    if twice:
        raise TrainingError(f"two {kind}s have the id {twice[0]!r}", "keep one")
    return rows
