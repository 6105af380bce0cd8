"""The model card: renders a model's record (JSON) as Markdown.

`python -m training.card homellm_edge/models/default.json [--eval-json FILE]` renders it
anew, adding or replacing the independent evaluation. FILE holds

    {"description": "...", "results":
        [{"set": "...", "system": "...", "right": 27, "asked": 28, "note": ""}]}
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from . import TrainingError

Record = Mapping[str, Any]


def read_evaluation(path: Path) -> Record:
    """Read an independent evaluation. Raises TrainingError if it has another form."""
    data = read_record(path)
    try:
        results = [
            {
                "set": str(row["set"]),
                "system": str(row["system"]),
                "right": float(row["right"]),
                "asked": int(row["asked"]),
                "note": str(row.get("note", "")),
            }
            for row in data["results"]
        ]
        texts = {key: str(data.get(key, "")) for key in ("description", "history")}
        return {**texts, "results": results}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise TrainingError(
            f"{path} is not an evaluation ({error!r})",
            "see the form in training/card.py",
        ) from error


def read_record(path: Path) -> dict[str, Any]:
    """Read a JSON object from `path`."""
    try:
        data = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise TrainingError(f"cannot read {path} ({error})") from error
    if not isinstance(data, dict):
        raise TrainingError(f"{path} does not hold a JSON object")
    return data


def write(record: Record, path: Path) -> None:
    """Write `record` to `path` (.json) and its card beside it (.md)."""
    path.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n", "utf-8")
    path.with_suffix(".md").write_text(render(record), "utf-8")


def render(record: Record) -> str:
    """Return the card as Markdown."""
    sections = (_head, _recipe, _held_out, _independent, _limits)
    return "\n\n".join(section(record) for section in sections) + "\n"


def _head(record: Record) -> str:
    shape = record["architecture"]
    return f"""# {record["name"]}

A tiny Llama-architecture language model, trained from scratch by this project on data
that this project generates. It turns a *grounded* sentence (devices, areas and numbers
already replaced by placeholders such as `<E1>`) into calls and queries. It does not see
the home, knows no facts and cannot chat.

| | |
|---|---|
| file | `{record["file"]}`, {record["bytes"] / 1e6:.2f} MB, {record["tensor_type"]} |
| SHA-256 | `{record["sha256"]}` |
| licence | {record["license"]} |
| prompt format | `{record["prompt_format"]}` |
| attention | {record.get("attention", "causal")} |
| parameters | {shape["parameters"] / 1e6:.2f} million |
| shape | {shape["layers"]} layers, width {shape["dim"]}, {shape["heads"]} heads \
({shape["kv_heads"]} KV), feed-forward {shape["ffn"]}, vocabulary {shape["vocab"]} |
| context | {record["context"]} tokens |"""


def _recipe(record: Record) -> str:
    training, data, parity = record["training"], record["data"], record["parity"]
    settings = training["settings"]
    return f"""## How it was made

`{training["command"]}`: no weights but our own went in.

| | |
|---|---|
| data | generator version {data["version"]}, seed {data["seed"]}; \
{data["examples"]:,} examples, {data["tokens"]:,} tokens, each seen once |
| optimizer | Muon (matrices, rate {settings["rate"]}) and AdamW (embedding, norms), \
linear decay over the last {100 * training["decay"]:.0f} % |
| steps | {training["steps"]:,} of about {settings["batch_tokens"]:,} tokens |
| loss | answers, plus {settings["sentence_weight"]} x the sentence itself |
| time | {training["minutes"]:.1f} minutes on {training["machine"]} |
| software | {training["software"]} |

PyTorch against llama.cpp (F32): {parity["prompts"]} prompts, largest difference of a
score {parity["logit"]:.1e}, {parity["greedy_differ"]} greedy answers differ,
{parity["tokens_differ"]} of {parity["texts"]} texts tokenized differently.\
{_history(record)}"""


def _history(record: Record) -> str:
    """What the recipe does not say: how this very file came about."""
    note = record.get("independent", {}).get("history", "")
    return f"\n\n{note}" if note else ""


def _held_out(record: Record) -> str:
    rows = "\n".join(
        f"| {kind} | {figure['right']} of {figure['asked']} "
        f"| {_percent(figure['right'], figure['asked'])} |"
        for kind, figure in record["held_out"].items()
    )
    return f"""## Held-out accuracy

Share of whole answers exactly right on homes with names and words kept out of
training. Greedy, free (no grammar, no repair), through llama.cpp with the file above.
The sentences come from the same generator as the training data, so this says how well
the task was learned, not how well people are understood.

| kind | right | |
|---|---|---|
{rows}"""


def _independent(record: Record) -> str:
    title = "## Independent evaluation"
    evaluation = record.get("independent")
    if not evaluation:
        return f"{title}\n\nNot measured for this file."
    rows = "\n".join(
        f"| {row['set']} | {row['system']} | {row['right']:g} of {row['asked']} "
        f"| {_percent(row['right'], row['asked'])} | {row['note']} |"
        for row in evaluation["results"]
    )
    return f"""{title}

{evaluation["description"]}

| set | system | right | | |
|---|---|---|---|---|
{rows}"""


def _limits(_: Record) -> str:
    return """## Limits

English only. Wordings far from the training phrases may be misread or refused; what
the matcher does not mark, the model cannot address. Made to run under the library's
grammar and policy, which bound what an answer can do; do not execute its output without
them."""


def _percent(right: float, asked: int) -> str:
    return f"{100 * right / asked:.1f} %" if asked else "-"


def _main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser("python -m training.card", description=__doc__)
    parser.add_argument("record", type=Path)
    parser.add_argument("--eval-json", type=Path)
    arguments = parser.parse_args(argv)
    record = read_record(arguments.record)
    if arguments.eval_json:
        record["independent"] = read_evaluation(arguments.eval_json)
    write(record, arguments.record)


if __name__ == "__main__":
    try:
        _main()
    except TrainingError as error:
        sys.exit(f"card: {error}")
