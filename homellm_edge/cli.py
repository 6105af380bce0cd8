"""The command line: ask, chat, eval, gate, grammar, doctor, bench.

Errors that a user can cause end with one line and exit code 2.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from . import __version__
from .agent import Agent, AgentOptions, Question, SpeechDelta, TurnDone
from .dialects import PromptOptions
from .errors import GrammarError, HomeError, HomellmEdgeError
from .home import Home, home_from_dict, load_home
from .models import DEFAULT_MODEL
from .phrases import own_phrases
from .simulate import SimulatedHome
from .timers import Timers
from .translation import LANGUAGES

if TYPE_CHECKING:
    from .engine.llama import LlamaEngine
    from .meaning import MeaningHints
    from .word_hints import WordHints

    Hints = MeaningHints | WordHints | None


def main(argv: list[str] | None = None) -> int:
    """Run the command line; the exit code."""
    arguments = _parser().parse_args(argv)
    try:
        code: int = arguments.run(arguments)
    except HomellmEdgeError as err:
        print(f"homellm-edge: error: {_one_line(err)}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # `homellm-edge ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="homellm-edge", description=__doc__)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    ask = commands.add_parser("ask", help="answer one sentence in a home file")
    ask.add_argument("text", metavar="TEXT")
    _add_home(ask)
    ask.add_argument("--area", help="name or id of the area of the speaker")
    _add_language(ask)
    _add_model(ask)
    ask.add_argument("--json", action="store_true", help="print one JSON object")
    ask.set_defaults(run=_ask)

    chat = commands.add_parser("chat", help="talk to a simulated home")
    _add_home(chat)
    chat.add_argument("--area", help="name or id of the area of the speaker")
    _add_language(chat)
    _add_model(chat)
    chat.set_defaults(run=_chat)

    evaluate = commands.add_parser("eval", help="answer all cases of a JSONL file")
    evaluate.add_argument("cases", type=Path, metavar="CASES.jsonl")
    evaluate.add_argument("--out", type=Path, required=True, metavar="PRED.jsonl")
    _add_language(evaluate, "of cases that name none of their own")
    _add_model(evaluate)
    evaluate.set_defaults(run=_eval)

    gate = commands.add_parser(
        "gate", help="may a model use block attention? both plans on the same cases"
    )
    gate.add_argument("cases", type=Path, metavar="CASES.jsonl")
    _add_model(gate)
    gate.add_argument("--json", action="store_true", help="print one JSON object")
    gate.set_defaults(run=_gate)

    grammar = commands.add_parser("grammar", help="the grammar of a home")
    actions = grammar.add_subparsers(required=True, metavar="ACTION")
    build = actions.add_parser("build", help="print the grammar of a home")
    _add_home(build)
    build.add_argument(
        "--schema", action="store_true", help="print the JSON Schema of a reply instead"
    )
    build.set_defaults(run=_grammar_build)
    match = actions.add_parser("match", help="which strings a GBNF file accepts")
    match.add_argument(
        "grammar",
        type=Path,
        metavar="FILE.gbnf",
        help="a file, or the name of a grammar that comes with the package",
    )
    match.add_argument("strings", type=Path, metavar="STRINGS.jsonl")
    match.set_defaults(run=_grammar_match)

    doctor = commands.add_parser("doctor", help="check this machine and the model")
    _add_model(doctor)
    doctor.add_argument("--json", action="store_true", help="print one JSON object")
    doctor.set_defaults(run=_doctor)

    bench = commands.add_parser("bench", help="measure ours beside the peers")
    bench.add_argument("--json", type=Path, metavar="FILE", help="write the figures")
    bench.set_defaults(run=_bench)
    return parser


def _add_home(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--home", type=Path, required=True, metavar="FILE")


def _add_language(
    parser: argparse.ArgumentParser, of: str = "of the sentences"
) -> None:
    parser.add_argument(
        "--language",
        choices=("en", *LANGUAGES),
        default="en",
        help=f"the language {of}",
    )


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model",
        type=Path,
        default=DEFAULT_MODEL,
        metavar="FILE.gguf",
        help="a GGUF file; by default the embedded model",
    )
    parser.add_argument(
        "--kv-plan",
        choices=("auto", "block", "causal", "prefix"),
        default="auto",
        help="how the home lies in the KV cache; auto is what suits the model",
    )
    parser.add_argument(
        "--no-hints",
        action="store_true",
        help="without the sentence encoder's hints",
    )
    parser.add_argument(
        "--examples",
        type=int,
        choices=range(5),
        metavar="N",
        help="example exchanges (0 to 4) in the prompt of a model that is asked in "
        "chatml; by default 3, and 0 for one trained for this",
    )
    parser.add_argument(
        "--phrases",
        type=Path,
        metavar="FILE",
        help="your own phrases with their meanings, in the form of docs/phrases.md",
    )


def _load(
    arguments: argparse.Namespace, *, keep: bool = False
) -> tuple[LlamaEngine, float]:
    """The engine and the milliseconds that loading took.

    With `keep` what it has read is kept in the user's cache folder for the next time.
    """
    began = time.perf_counter()
    from .engine.llama import LlamaEngine  # costs most of the start-up
    from .engine.probe import user_cache

    engine = LlamaEngine.load(
        arguments.model,
        kv_plan=arguments.kv_plan,
        cache_dir=user_cache() if keep else None,
    )
    return engine, (time.perf_counter() - began) * 1000


def _hints(arguments: argparse.Namespace, engine: LlamaEngine) -> Hints:
    """The nearest phrases for a model that is told of them, else None."""
    from .sources import examples_for, hint_source

    own = own_phrases(arguments.phrases) if arguments.phrases else ()
    examples = examples_for(engine.info, arguments.examples)
    encoder = not arguments.no_hints
    return hint_source(engine.info, examples, encoder=encoder, own=own)


def _options(arguments: argparse.Namespace, engine: LlamaEngine) -> AgentOptions:
    from .sources import examples_for

    examples = examples_for(engine.info, arguments.examples)
    return AgentOptions(PromptOptions(examples=examples))


def _area(home: Home, name: str | None) -> str | None:
    if not name:
        return None
    area = home.find_area(name)
    if area is None:
        known = ", ".join(a.name for a in home.areas) or "none"
        raise HomeError(f"there is no area {name!r}", f"use one of: {known}")
    return area.id


async def _turn(agent: Agent, question: Question, out: TextIO | None) -> TurnDone:
    done: TurnDone | None = None
    async for event in agent.turn(question):
        if isinstance(event, SpeechDelta) and out is not None:
            out.write(event.text)
            out.flush()
        elif isinstance(event, TurnDone):
            done = event
    assert done is not None  # noqa: S101 - a turn ends with it or raises
    return done


def _report(
    done: TurnDone, load_ms: float, refresh_ms: float, refreshed: int
) -> dict[str, Any]:
    usage = done.usage
    return {
        "response": done.response,
        "calls": [call.to_dict() for call in done.calls],
        "queries": list(done.queries),
        "tokens": {
            "evaluated": usage.evaluated,
            "reused": usage.reused,
            "sampled": usage.sampled,
            "forced": usage.forced,
        },
        "refresh": {"evaluated": refreshed},
        "left_out": list(usage.left_out),
        "timing_ms": {
            "load": round(load_ms, 2),
            "refresh": round(refresh_ms, 2),
            **done.timing_ms,
        },
    }


def _ask(arguments: argparse.Namespace) -> int:
    home = load_home(arguments.home)
    area = _area(home, arguments.area)
    question = Question(
        arguments.text,
        area=area,
        language=arguments.language,
        now=datetime.now().astimezone(),
    )
    return asyncio.run(_ask_async(arguments, home, question))


async def _ask_async(
    arguments: argparse.Namespace, home: Home, question: Question
) -> int:
    engine, load_ms = _load(arguments, keep=True)
    try:
        hints = _hints(arguments, engine)
        options = _options(arguments, engine)
        agent = Agent(engine, SimulatedHome(home, Timers()), options, hints)
        refreshed, refresh_ms = await _refresh(agent)
        done = await _turn(agent, question, None if arguments.json else sys.stdout)
    finally:
        await engine.close()
    if arguments.json:
        report = _report(done, load_ms, refresh_ms, refreshed)
        print(json.dumps(report, ensure_ascii=False))
        return 0
    print()
    _tell_left_out(done.usage.left_out)
    for call in done.calls:
        print(json.dumps(call.to_dict(), ensure_ascii=False))
    return 0


def _chat(arguments: argparse.Namespace) -> int:
    home = load_home(arguments.home)
    return asyncio.run(_chat_async(arguments, home, _area(home, arguments.area)))


async def _refresh(agent: Agent) -> tuple[int, float]:
    """Read the home before anybody asks; tokens evaluated, and milliseconds."""
    began = time.perf_counter()
    evaluated = await agent.refresh()
    return evaluated, (time.perf_counter() - began) * 1000


def _tell_left_out(entity_ids: tuple[str, ...]) -> None:
    if entity_ids:
        print(
            f"note: {len(entity_ids)} entities had no room in the context: "
            f"{', '.join(entity_ids)}; expose fewer or enlarge the context",
            file=sys.stderr,
        )


async def _chat_async(
    arguments: argparse.Namespace, home: Home, area: str | None
) -> int:
    engine, load_ms = _load(arguments, keep=True)
    simulated = SimulatedHome(home, Timers())
    options = _options(arguments, engine)
    agent = Agent(engine, simulated, options, _hints(arguments, engine))
    speaker = Question(
        "", area=area, language=arguments.language, conversation_id="chat"
    )
    print(f"{arguments.model.name} ready in {load_ms:.0f} ms. Ctrl-D ends.")
    print("/state ENTITY_ID STATE changes a state, /home lists them.")
    try:
        await agent.refresh()
        _tell_left_out(engine.cut.blocks)
        while (line := await asyncio.to_thread(_read_line)) is not None:
            try:
                await _chat_line(agent, simulated, line, speaker)
            except HomellmEdgeError as err:
                print(f"error: {_one_line(err)}")
    finally:
        await engine.close()
    return 0


def _read_line() -> str | None:
    try:
        return input("> ")
    except EOFError:
        print()
        return None


async def _chat_line(
    agent: Agent, simulated: SimulatedHome, line: str, speaker: Question
) -> None:
    if line.startswith("/state"):
        _, _, rest = line.partition(" ")
        entity_id, _, state = rest.strip().partition(" ")
        simulated.set_state(entity_id, state.strip())
        evaluated = await agent.refresh()
        print(f"{entity_id} = {state.strip()} ({evaluated} tokens evaluated)")
        return
    if line.strip() == "/home":
        for entity in simulated.home().entities:
            print(f"{entity.entity_id} {entity.name!r} = {entity.state}")
        return
    if line.startswith("/"):
        print("commands: /state ENTITY_ID STATE, /home")
        return
    if not line.strip():
        return
    question = dataclasses.replace(speaker, text=line, now=datetime.now().astimezone())
    done = await _turn(agent, question, sys.stdout)
    print()
    for call in done.calls:
        print(f"  {json.dumps(call.to_dict(), ensure_ascii=False)}")
    await agent.refresh()


def _eval(arguments: argparse.Namespace) -> int:
    cases = list(_read_cases(arguments.cases))
    return asyncio.run(_eval_async(arguments, cases))


async def _eval_async(
    arguments: argparse.Namespace, cases: list[dict[str, Any]]
) -> int:
    engine, load_ms = _load(arguments)
    try:
        hints = _hints(arguments, engine)
        options = _options(arguments, engine)
        with _atomic(arguments.out) as out:
            for number, case in enumerate(cases, 1):
                case.setdefault("language", arguments.language)
                prediction = await _predict(engine, case, load_ms, hints, options)
                out.write(json.dumps(prediction, ensure_ascii=False) + "\n")
                _progress(number, len(cases))
    finally:
        await engine.close()
    return 0


async def _predict(
    engine: LlamaEngine,
    case: dict[str, Any],
    load_ms: float,
    hints: Hints = None,
    options: AgentOptions | None = None,
) -> dict[str, Any]:
    home = home_from_dict(case["home"])
    context = case.get("context") or {}
    area = home.find_area(str(context.get("area") or ""))
    agent = Agent(engine, SimulatedHome(home), options, hints)
    refreshed, refresh_ms = await _refresh(agent)
    question = Question(
        str(case["utterance"]),
        area=area.id if area else None,
        language=str(case.get("language", "en")),
        now=_when(context),
    )
    done = await _turn(agent, question, None)
    return {"id": case["id"], **_report(done, load_ms, refresh_ms, refreshed)}


def _gate(arguments: argparse.Namespace) -> int:
    from .gate import compare, told

    cases = list(_read_cases(arguments.cases))
    verdict = asyncio.run(compare(arguments.model, cases, _predict, _progress))
    if arguments.json:
        print(json.dumps(dataclasses.asdict(verdict)))
    else:
        print(told(verdict))
    return 0 if verdict.passed else 1


def _when(context: dict[str, Any]) -> datetime | None:
    try:
        return datetime.fromisoformat(str(context["now"]))
    except (KeyError, ValueError):
        return None


def _read_cases(path: Path) -> Iterator[dict[str, Any]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as err:
        raise HomeError(f"cases {path} cannot be read ({err})", "check it") from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            case = json.loads(line)
        except json.JSONDecodeError as err:
            raise HomeError(
                f"{path}:{number}:{err.colno}: {err.msg}", "one JSON object a line"
            ) from None
        missing = {"id", "home", "utterance"} - set(
            case if isinstance(case, dict) else ()
        )
        if missing:
            raise HomeError(
                f"{path}:{number}: {', '.join(sorted(missing))} missing",
                "expand the cases so that each holds its home",
            )
        yield case


@contextmanager
def _atomic(path: Path) -> Iterator[TextIO]:
    """A file that takes its name only once it is complete."""
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("w", encoding="utf-8") as out:
            yield out
    except OSError as err:
        raise HomeError(
            f"{path} cannot be written ({err.strerror})", "check it"
        ) from None
    part.replace(path)


def _progress(number: int, count: int) -> None:
    if not sys.stderr.isatty() and number % 50 and number != count:
        return
    width = 30
    done = width * number // count
    end = "\n" if number == count or not sys.stderr.isatty() else ""
    bar = "#" * done + "." * (width - done)
    print(f"\r[{bar}] {number}/{count}", end=end, file=sys.stderr, flush=True)


def _grammar_build(arguments: argparse.Namespace) -> int:
    from .grammar import home_grammar, home_schema

    home = load_home(arguments.home)
    if arguments.schema:
        print(json.dumps(home_schema(home), ensure_ascii=False, indent=1))
    else:
        print(home_grammar(home), end="")
    return 0


def _grammar_match(arguments: argparse.Namespace) -> int:
    from .grammar.automaton import compile_grammar

    path: Path = arguments.grammar
    try:
        automaton = compile_grammar(_grammar_text(path))
        for text in _read_strings(arguments.strings):
            # JSON may hold half a surrogate pair, which is no text of any grammar
            found = automaton.match(text.encode(errors="surrogatepass"))
            print("true" if found else "false")
    except GrammarError as err:
        place = f"{path}:{err.line or 1}:{err.column or 1}"
        print(f"{place}: {_one_line(err)}", file=sys.stderr)
        return 2
    return 0


def _grammar_text(path: Path) -> str:
    from .grammar.shipped import shipped_grammar, shipped_names

    if not path.exists() and str(path) in shipped_names():
        return shipped_grammar(str(path))
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError as err:
        before = err.object[: err.start]
        raise GrammarError(
            "the grammar is not UTF-8",
            "save it as UTF-8",
            line=before.count(b"\n") + 1,
            column=len(before.rpartition(b"\n")[2].decode()) + 1,
        ) from None
    except OSError as err:
        raise GrammarError(
            f"the file cannot be read ({err.strerror})", "check its name"
        ) from None


def _read_strings(path: Path) -> Iterator[str]:
    try:
        lines = path.read_bytes().decode().split("\n")
    except (OSError, UnicodeDecodeError) as err:
        raise HomeError(f"strings {path} cannot be read ({err})", "check it") from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            text = json.loads(line)
        except (json.JSONDecodeError, RecursionError):
            text = None
        if not isinstance(text, str):
            raise HomeError(f"{path}:{number}: this is no JSON string", "quote it")
        yield text


def _doctor(arguments: argparse.Namespace) -> int:
    from .doctor import examine, told

    report = examine(arguments.model)
    print(json.dumps(report) if arguments.json else told(report))
    return 0 if report["ok"] else 2


def _bench(arguments: argparse.Namespace) -> int:
    from .benchmark import run

    return run(arguments.json)


def _one_line(err: BaseException) -> str:
    return " ".join(str(err).split())
