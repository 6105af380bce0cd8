"""Predicts how long a turn takes on a Raspberry Pi; nothing here was measured on one.

    python bench/predict_pi.py           # the table, from turns that are run here
    python bench/predict_pi.py --count   # counts instructions again, with valgrind

A turn is taken apart into three sums. The matrices of the language model and of the
encoder: operations from their shapes, at the rate that llama.cpp reaches on the board,
and their bytes once for each batch, at the rate of its memory. All else (grounding,
grammar, sampling, Python): instructions counted here by callgrind, at the board's clock
and an assumed number of instructions a cycle. The sums are added as if nothing
overlapped, and one core is used.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from homellm_edge.agent import Agent, Question, TurnDone
from homellm_edge.engine.llama import LlamaEngine
from homellm_edge.engine.model import ModelInfo, inspect_model
from homellm_edge.grounding import Grounder
from homellm_edge.home import Home, load_home
from homellm_edge.meaning import MeaningHints, plain_text
from homellm_edge.models import DEFAULT_MODEL, ENCODER, MEANINGS
from homellm_edge.simulate import SimulatedHome
from homellm_edge.timers import Timers

_HOME = Path(__file__).with_name("home.json")
SENTENCES = (
    "turn on the kitchen light",
    "turn off all the lights",
    "dim the living room lamp to 30 percent",
    "is the front door locked",
    "close the blinds in the bedroom",
    "set the thermostat to 21 degrees",
    "how warm is it in the bedroom",
    "set a timer for five minutes",
    "play some jazz on the speaker",
    "it is too dark in here",
)
Q8_0 = 34 / 32
"""Bytes of a weight."""

OTHER_INSTRUCTIONS = 33e6
"""Instructions a turn outside of llama.cpp's libraries, counted on x86-64 with Python
3.11 over 36 turns that followed two rounds. On ARM there are about as many."""


@dataclass(frozen=True, slots=True)
class Board:
    """One core of a board. `gflops` and `gbytes` are what llama.cpp reached there.

    Both come from TinyLlama 1.1B Q8_0 (1.1e9 weights, 1.17 GB) on four cores: prompt
    tokens a second times 2.2e9, over four; written tokens a second times 1.17 GB.
    """

    name: str
    prompt_per_second: float
    written_per_second: float
    ghz: float
    instructions_per_cycle: float

    @property
    def gflops(self) -> float:
        """Of one core."""
        return self.prompt_per_second * 2.2 / 4

    @property
    def gbytes(self) -> float:
        """A second, of all cores together; one core is taken to reach half of it."""
        return self.written_per_second * 1.17


BOARDS = (
    Board("Pi 4 (Cortex-A72, 1.5 GHz)", 10, 3, 1.5, 0.8),
    Board("Pi 5 (Cortex-A76, 2.4 GHz)", 35, 9, 2.4, 1.5),
)


@dataclass(frozen=True, slots=True)
class Counted:
    """What one turn made the models do."""

    evaluated: int
    sampled: int
    forced: int
    encoded: int


@dataclass(frozen=True, slots=True)
class Weights:
    """The matrices that a token goes through: those of the layers, and the output's."""

    layers: int
    output: int

    @classmethod
    def of(cls, info: ModelInfo) -> Weights:
        """From the shapes of a file; an encoder has no output matrix."""
        key_value = info.head_size_k * info.n_head_kv
        attention = info.n_embd * (2 * info.n_embd + 2 * key_value)
        is_encoder = info.architecture == "bert"
        feed_forward = (2 if is_encoder else 3) * info.n_embd * info.n_ff
        output = 0 if is_encoder else info.n_vocab * info.n_embd
        return cls(info.n_layer * (attention + feed_forward), output)


def milliseconds(
    board: Board, turn: Counted, model: Weights, encoder: Weights
) -> tuple[float, float, float]:
    """(language model, encoder, all else) of a turn on a board, in milliseconds."""
    batches = max(turn.sampled, 1)  # what is forced goes with what was sampled
    tokens = turn.evaluated + turn.sampled + turn.forced
    gbytes = board.gbytes / 2
    wrote = 2 * (tokens * model.layers + batches * model.output) / board.gflops
    wrote += batches * (model.layers + model.output) * Q8_0 / gbytes
    read = 2 * turn.encoded * encoder.layers / board.gflops
    read += encoder.layers * Q8_0 / gbytes
    rate = board.ghz * board.instructions_per_cycle
    return wrote / 1e6, read / 1e6, OTHER_INSTRUCTIONS / rate / 1e6


async def run_turns(rounds: int) -> list[Counted]:
    """Run the sentences through the product, on one thread."""
    home = load_home(_HOME)
    engine = LlamaEngine.load(DEFAULT_MODEL, n_threads=1, probe=False)
    hints = MeaningHints.load(ENCODER, MEANINGS)
    simulated = SimulatedHome(home, Timers())
    agent = Agent(engine, simulated, hints=hints)
    counted = []
    try:
        await agent.refresh()
        for _ in range(rounds):
            for sentence in SENTENCES:
                simulated.replace(home)
                events = [e async for e in agent.turn(Question(sentence))]
                done = events[-1]
                if isinstance(done, TurnDone):
                    counted.append(_counted(home, sentence, done))
    finally:
        await engine.close()
        hints.close()
    return counted


def _counted(home: Home, sentence: str, done: TurnDone) -> Counted:
    found = Grounder(home).ground(sentence)
    words = plain_text(found, home).split()  # nearly all are one token; two frame them
    used = done.usage
    return Counted(
        used.evaluated,
        used.sampled,
        used.forced,
        len(words) + 2,
    )


def count_instructions() -> float:
    """Instructions a turn outside of llama.cpp, from two runs under callgrind."""
    with tempfile.TemporaryDirectory() as folder:
        runs = [
            (rounds, Path(folder, f"{rounds}.out"), _start(rounds, Path(folder)))
            for rounds in (2, 4)
        ]
        totals = []
        for _, out, process in runs:
            if process.wait():
                raise SystemExit("predict_pi: valgrind failed; is it installed?")
            totals.append(_of_objects(out.read_text(encoding="utf-8")))
    few, many = totals
    told = many - few
    turns = (runs[1][0] - runs[0][0]) * len(SENTENCES)
    for name, cost in told.most_common(8):
        print(f"{cost / turns / 1e6:10.2f} million instructions a turn  {name}")
    other = sum(c for name, c in told.items() if not _is_llama(name))
    return other / turns


def _is_llama(name: str) -> bool:
    return any(part in name for part in ("libllama", "libggml", "libgomp"))


def _start(rounds: int, folder: Path) -> subprocess.Popen[bytes]:
    command = [
        "valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/{rounds}.out",
        sys.executable, __file__, "--turns", str(rounds),
    ]  # fmt: skip
    quiet = subprocess.DEVNULL
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    return subprocess.Popen(  # noqa: S603 - this file
        command, stdout=quiet, stderr=quiet, env=environment
    )


def _of_objects(text: str) -> Counter[str]:
    """Object file -> its own instructions, from a callgrind file."""
    names: dict[str, str] = {}
    costs: Counter[str] = Counter()
    current, is_call = "", False
    for line in text.splitlines():
        if line.startswith(("ob=", "cob=")):
            number, _, name = line.partition("=")[2].partition(" ")
            if name:  # told once, with either
                names[number] = Path(name).name
            if line.startswith("ob="):
                current = number
        elif line.startswith("calls="):
            is_call = True  # the next line is what the callee cost
        elif line[:1].isdigit() or line[:1] in ("+", "-", "*"):
            if not is_call:
                costs[current] += int(line.split()[1])
            is_call = False
    return Counter({names.get(number, number): n for number, n in costs.items()})


def table(turns: Sequence[Counted]) -> str:
    """The prediction as a Markdown table, the mean turn in each row."""
    model, encoder = (Weights.of(inspect_model(p)) for p in (DEFAULT_MODEL, ENCODER))
    lines = [
        "| predicted, ms a turn | language model | encoder | all else | together |",
        "|---|---|---|---|---|",
    ]
    for board in BOARDS:
        parts = [milliseconds(board, turn, model, encoder) for turn in turns]
        means = [sum(column) / len(turns) for column in zip(*parts, strict=True)]
        cells = " | ".join(f"{ms:.0f}" for ms in (*means, sum(means)))
        lines.append(f"| {board.name} | {cells} |")
    return "\n".join(lines)


def _mean(turns: Sequence[Counted], name: str) -> float:
    return float(sum(getattr(turn, name) for turn in turns)) / len(turns)


def main() -> None:
    """Print the table, or count instructions."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", action="store_true", help="count instructions")
    parser.add_argument("--turns", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.turns:
        asyncio.run(run_turns(arguments.turns))
        return
    if arguments.count:
        print(f"{count_instructions():.3g} instructions a turn outside of llama.cpp")
        return
    turns = asyncio.run(run_turns(3))[len(SENTENCES) :]  # without the first round
    model, encoder = (Weights.of(inspect_model(p)) for p in (DEFAULT_MODEL, ENCODER))
    print(
        f"a turn: {_mean(turns, 'evaluated'):.1f} tokens read, "
        f"{_mean(turns, 'sampled'):.1f} sampled, {_mean(turns, 'forced'):.1f} forced, "
        f"{_mean(turns, 'encoded'):.1f} encoded\n"
        f"language model: {2 * model.layers / 1e6:.1f} MFLOP a token and "
        f"{2 * model.output / 1e6:.1f} for its logits, "
        f"{(model.layers + model.output) * Q8_0 / 1e6:.1f} MB a batch\n"
        f"encoder: {2 * encoder.layers / 1e6:.1f} MFLOP a token, "
        f"{encoder.layers * Q8_0 / 1e6:.1f} MB a sentence\n"
        f"all else: {OTHER_INSTRUCTIONS / 1e6:.0f} million instructions\n"
    )
    print(table(turns))


if __name__ == "__main__":
    main()
