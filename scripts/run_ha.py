"""Runs a real Home Assistant with the component, the demo home and the default model.

    run_ha.py serve                     until Ctrl-C, for a browser
    run_ha.py ask "SENTENCE;;SENTENCE"  boots, asks, shows what happened, ends
    run_ha.py screenshot PICTURE.png "SENTENCE"    the same in the real frontend
    run_ha.py busy                      many changes a second: lag, answers, KV cache

Run it with the python of `scripts/ensure-ha run`; the Makefile does. Exit code 0, or 2
with one line that names cause and cure.
"""

import argparse
import asyncio
import json
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import yaml
from lab.ask import ask
from lab.browser import find_chromium, screenshot
from lab.busy import Script, busy
from lab.busy import report as busy_report
from lab.busy_home import configuration, things
from lab.client import PASSWORD, USER, Client
from lab.furnish import add_integration, furnish, prefer_agent, until_running
from lab.models import write_chat_model
from lab.problems import LabError
from lab.process import (
    check_port,
    check_unused,
    free_port,
    logged_errors,
    running,
)
from lab.report import report
from lab.settings import Settings

REPOSITORY = Path(__file__).resolve().parent.parent
INTEGRATIONS = REPOSITORY / "scripts/demo_home/custom_components"
DEFAULT_PORT = 8123


@asynccontextmanager
async def assist_at_home(settings: Settings) -> AsyncIterator[Client]:
    """Home Assistant, up and furnished, with our agent in charge of Assist."""
    assert settings.home is not None  # noqa: S101 - only the busy home has no file
    home = yaml.safe_load(settings.home.read_text(encoding="utf-8"))
    async with running(settings) as seconds:
        say(f"Home Assistant answers after {seconds:.0f} s")
        begin = time.monotonic()
        async with Client(settings.url) as client:
            await until_running(client)
            await furnish(client, home)
            await prefer_agent(client, await add_integration(client))
            say(f"home and agent are ready after another {since(begin):.0f} s")
            yield client


async def serve(args: argparse.Namespace) -> None:
    """Stay up until somebody presses Ctrl-C."""
    settings = make_settings(args, args.config, port_number(args.port) or DEFAULT_PORT)
    check_port(settings.host, settings.port)
    check_unused(settings.folder)
    if args.fresh:
        shutil.rmtree(args.config, ignore_errors=True)
    async with assist_at_home(settings):
        print(f"\nurl       {settings.url}\nuser      {USER}\npassword  {PASSWORD}")
        print(f"log       {settings.log}\nstop      Ctrl-C\n", flush=True)
        await asyncio.Event().wait()


async def answer(args: argparse.Namespace) -> None:
    """Ask the sentences in their order and show what came of each."""
    sentences = [part.strip() for part in args.text.split(";;")]
    answers = []
    async with temporary_home(args) as (client, settings):
        states = await client.call("get_states")
        conversation = None
        for sentence in sentences:
            result = await ask(client, sentence, conversation)
            # As a voice satellite: the conversation goes on only if it asked back.
            conversation = result.conversation if result.goes_on else None
            answers.append(result)
            print(f"\n{report(result)}", flush=True)
        errors = logged_errors(settings)
    for line in errors:
        say(f"Home Assistant logged: {line}")
    if args.json:
        data = {
            "states": states,
            "answers": [result.to_dict() for result in answers],
            "errors": errors,
        }
        args.json.write_text(json.dumps(data, indent=1), encoding="utf-8")


async def picture(args: argparse.Namespace) -> None:
    """Ask in the frontend's Assist dialog and keep its picture."""
    find_chromium()  # before half a minute of booting
    async with temporary_home(args) as (client, _):
        messages = await screenshot(client, args.text, args.picture)
    print("\n" + "\n".join(messages))
    say(f"wrote {args.picture}")


async def busy_home(args: argparse.Namespace) -> None:
    """Change many states a second, ask in the middle, and show what that costs."""
    if args.entities < 1 or args.seconds <= 0:
        raise LabError("a busy home has --entities and --seconds of more than 0")
    home = things(args.entities)
    script = Script(
        changes=args.changes,
        seconds=args.seconds,
        baseline=args.seconds if args.baseline is None else args.baseline,
        questions=args.questions,
        context=args.context,
        kv_plan=args.kv_plan,
    )
    components = (args.component, INTEGRATIONS / "homellm_lab")
    async with temporary_folder(args) as (folder, port):
        extra = configuration(home)
        settings = Settings(folder, None, components, args.host, port, extra)
        model = args.model.resolve() if args.model else folder / "chat.gguf"
        if not args.model:
            write_chat_model(REPOSITORY, model)
        async with running(settings), Client(settings.url) as client:
            say(f"{script.baseline:g} s without us, then {script.seconds:g} s with us")
            result = await busy(client, home, model, script)
        errors = logged_errors(settings)
    print(f"\n{busy_report(result)}", flush=True)
    for line in errors:
        say(f"Home Assistant logged: {line}")
    if args.json:
        data = {**result.to_dict(), "errors": errors}
        args.json.write_text(json.dumps(data, indent=1), encoding="utf-8")


@asynccontextmanager
async def temporary_home(
    args: argparse.Namespace,
) -> AsyncIterator[tuple[Client, Settings]]:
    """A Home Assistant of its own with the demo home."""
    async with temporary_folder(args) as (folder, port):
        settings = make_settings(args, folder, port)
        async with assist_at_home(settings) as client:
            yield client, settings


@asynccontextmanager
async def temporary_folder(
    args: argparse.Namespace,
) -> AsyncIterator[tuple[Path, int]]:
    """A configuration folder and a port; the folder stays only if something failed."""
    port = port_number(args.port) or free_port(args.host)
    args.config.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="ask-", dir=args.config.parent))
    try:
        yield folder, port
    except LabError as err:
        raise LabError(f"{err} (kept: {folder})") from err
    except BaseException:
        shutil.rmtree(folder)
        raise
    shutil.rmtree(folder)


def make_settings(args: argparse.Namespace, folder: Path, port: int) -> Settings:
    """The settings for that folder and port."""
    components = (args.component, INTEGRATIONS / "homellm_demo")
    return Settings(folder, args.home, components, args.host, port)


def say(line: str) -> None:
    """A line about what is going on."""
    print(f"run_ha: {line}", file=sys.stderr, flush=True)


def since(begin: float) -> float:
    """Seconds since that moment of the monotonic clock."""
    return time.monotonic() - begin


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", type=Path, default=REPOSITORY / "run/ha")
    parser.add_argument(
        "--home", type=Path, default=REPOSITORY / "examples/demo_home.yaml"
    )
    parser.add_argument(
        "--component",
        type=Path,
        default=REPOSITORY / "custom_components/homellm_edge",
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", help="1 to 65535; default: 8123, ask: a free one")
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("serve")
    command.add_argument("--fresh", action="store_true", help="forget earlier runs")
    command.set_defaults(run=serve)
    command = commands.add_parser("ask")
    command.add_argument("text", help="sentences, separated by ;;")
    command.add_argument("--json", type=Path, help="write everything there as well")
    command.set_defaults(run=answer)
    command = commands.add_parser("screenshot")
    command.add_argument("picture", type=Path)
    command.add_argument("text")
    command.set_defaults(run=picture)
    command = commands.add_parser("busy")
    command.add_argument("--seconds", type=float, default=60)
    command.add_argument(
        "--baseline", type=float, help="seconds without our agents; default: as many"
    )
    command.add_argument("--changes", type=float, default=20, help="a second")
    command.add_argument("--entities", type=int, default=200)
    command.add_argument("--questions", type=int, default=6, help="to each agent")
    command.add_argument("--context", type=int, default=0, help="of the chat model")
    command.add_argument("--kv-plan", default="auto", help="of the chat model")
    command.add_argument("--model", type=Path, help="a chat model; default: a tiny one")
    command.add_argument("--json", type=Path, help="write everything there as well")
    command.set_defaults(run=busy_home)
    return parser.parse_args()


def port_number(text: str | None) -> int | None:
    """A port; None for no text."""
    if not text:
        return None
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise LabError(f"{text!r} is no port; take one from 1024 to 65535: PORT=8124")
    return int(text)


async def main() -> None:
    """Run the command; a signal ends it in order."""
    args = parse()
    task = asyncio.ensure_future(args.run(args))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        say("ended")


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except LabError as error:
        say(f"error: {error}")
        sys.exit(2)
