from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from homellm_edge.cli import main
from homes import DATA

ASK = "turn on the kitchen light"


@pytest.fixture(scope="module")
def home_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("home") / "home.json"
    path.write_text(json.dumps(DATA), encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of an earlier run is found, nothing is left in the user's own cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def _fails(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line that a run with these arguments ends with."""
    assert main(list(arguments)) == 2
    captured = capsys.readouterr()
    lines = captured.err.strip().splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("homellm-edge: error: ")
    assert captured.out == ""
    return lines[0]


def test_ask_json(home_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", ASK, "--home", str(home_file), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["calls"] == [
        {"service": "light.turn_on", "target_device": "light.kitchen"}
    ]
    assert set(report["tokens"]) == {"evaluated", "reused", "sampled", "forced"}
    assert set(report["timing_ms"]) == {
        "load", "refresh", "first_byte", "first_call", "total",
    }  # fmt: skip
    assert report["queries"] == []
    assert report["response"]
    assert report["left_out"] == []


def test_ask_in_another_language(
    home_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = ["ask", "schalte bitte das Licht in der Küche ein", "--language", "de"]
    assert main([*said, "--home", str(home_file), "--json"]) == 0
    [call] = json.loads(capsys.readouterr().out)["calls"]
    assert call == {"service": "light.turn_on", "target_device": "light.kitchen"}
    with pytest.raises(SystemExit):
        main(["ask", ASK, "--language", "xx", "--home", str(home_file)])


def test_ask_reads_the_home_first_and_then_only_the_question(
    home_file: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    common = [
        "ask",
        ASK,
        "--home",
        str(home_file),
        "--json",
        "--model",
        str(tiny_model),
        "--examples",
        "0",
    ]
    for plan in ("prefix", "causal", "block"):
        assert main([*common, "--kv-plan", plan]) == 0
        report = json.loads(capsys.readouterr().out)
        tokens, before = report["tokens"], report["refresh"]["evaluated"]
        assert 0 < tokens["evaluated"] < 150 < tokens["reused"]
        assert before == tokens["reused"] or plan == "block"
    # the header was found already; the next time all of it is
    assert main([*common, "--kv-plan", "block"]) == 0
    assert json.loads(capsys.readouterr().out)["refresh"]["evaluated"] == 0


def test_a_model_that_knows_nothing_of_the_task_is_shown_examples(
    home_file: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ["ask", ASK, "--home", str(home_file), "--json", "--no-hints"]
    evaluated = []
    for more in ((), ("--examples", "1"), ("--examples", "0")):
        assert main([*common, "--model", str(tiny_model), *more]) == 0
        tokens = json.loads(capsys.readouterr().out)["tokens"]
        evaluated.append(tokens["evaluated"])
    assert evaluated[0] > evaluated[1] > evaluated[2]


def test_entities_without_room_are_named(
    tmp_path: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    entities = [
        {"entity_id": f"light.lamp_{n}", "name": f"Lamp {n}", "state": "on"}
        for n in range(120)
    ]
    path = tmp_path / "home.json"
    path.write_text(json.dumps({"entities": entities}), encoding="utf-8")
    common = ["ask", "lamp 119 off", "--home", str(path), "--model", str(tiny_model)]
    assert main(common) == 0
    err = capsys.readouterr().err
    assert "had no room in the context" in err
    assert "light.lamp_119" not in err  # it is what the sentence speaks of
    assert main([*common, "--json"]) == 0
    left_out = json.loads(capsys.readouterr().out)["left_out"]
    assert left_out
    assert set(left_out) < {entity["entity_id"] for entity in entities}


def test_gate(
    home_file: Path,
    tmp_path: Path,
    tiny_model: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    home = json.loads(home_file.read_text(encoding="utf-8"))
    cases = tmp_path / "cases.jsonl"

    def write(count: int) -> None:
        lines = [
            {"id": f"c{n}", "home": home, "utterance": f"turn on the light {n}"}
            for n in range(count)
        ]
        cases.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")

    write(3)
    assert "too few" in _fails(capsys, "gate", str(cases), "--model", str(tiny_model))
    write(50)
    # the embedded model has no lines in its prompt: both plans must agree
    assert main(["gate", str(cases), "--json"]) == 0
    verdict = json.loads(capsys.readouterr().out)
    assert verdict["passed"]
    assert verdict["agreement"] == 1.0
    assert verdict["tokens"]["causal"] == verdict["tokens"]["block"] > 0


def test_ask_in_words_with_an_area(
    home_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["ask", "lights on", "--home", str(home_file), "--area", "Bedroom"]
    assert main(arguments) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0]
    assert json.loads(out[1])["target_device"] == "light.zorblatt"


def test_ask_as_a_program(home_file: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "homellm_edge", "ask", ASK, "--home", str(home_file)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "light.kitchen" in done.stdout


def test_chat_follows_the_state(home_file: Path) -> None:
    script = "/state light.kitchen on\nis the kitchen light on?\n/home\n/nonsense\n\n"
    done = subprocess.run(
        [sys.executable, "-m", "homellm_edge", "chat", "--home", str(home_file)],
        input=script,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "Yes, the Kitchen Light is on." in done.stdout
    assert "light.kitchen 'Kitchen Light' = on" in done.stdout


def test_eval_writes_one_prediction_a_line_in_order(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sentences = [ASK, "is the front door locked", "sing me a song"]
    cases = tmp_path / "cases.jsonl"
    cases.write_text(
        "".join(
            json.dumps({"id": f"c{n}", "home": DATA, "utterance": text,
                        "context": {"area": "Kitchen", "now": "2026-01-01T07:00"}})
            + "\n"
            for n, text in enumerate(sentences)
        ),
        encoding="utf-8",
    )  # fmt: skip
    out = tmp_path / "pred.jsonl"
    assert main(["eval", str(cases), "--out", str(out)]) == 0
    found = [json.loads(line) for line in out.read_text().splitlines()]
    assert [f["id"] for f in found] == ["c0", "c1", "c2"]
    assert all({"response", "calls", "tokens", "timing_ms"} <= set(f) for f in found)
    assert "3/3" in capsys.readouterr().err


def test_grammar_build(home_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["grammar", "build", "--home", str(home_file)]) == 0
    assert capsys.readouterr().out.startswith("root ::= ")


def test_doctor(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["ok"] is True
    assert report["speed"]["decode_tokens_per_s"] > 0
    assert main(["doctor"]) == 0
    assert "result    ready" in capsys.readouterr().out


def test_doctor_names_a_missing_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--model", str(tmp_path / "no.gguf")]) == 2
    assert "not usable" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "content", "cause"),
    [
        ("missing.gguf", None, "does not exist"),
        ("empty.gguf", b"", "empty"),
        ("text.gguf", b"hello world, I am no model at all", "GGUF"),
        ("cut.gguf", b"GGUF\x03\x00\x00\x00\xff\x00\x00\x00", "cut off"),
    ],
)
def test_bad_model_files(
    tmp_path: Path,
    home_file: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    content: bytes | None,
    cause: str,
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    line = _fails(capsys, "ask", ASK, "--home", str(home_file), "--model", str(path))
    assert cause in line
    assert name in line


def test_bad_sentences_and_areas(
    home_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    at = ("--home", str(home_file))
    assert "empty" in _fails(capsys, "ask", "  ", *at)
    assert "10000 characters" in _fails(capsys, "ask", "a" * 10000, *at)
    line = _fails(capsys, "ask", ASK, *at, "--area", "Moon")
    assert "there is no area 'Moon'" in line
    assert "Kitchen" in line


def test_bad_homes_and_cases(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nothing = str(tmp_path / "no.yaml")
    assert "does not exist" in _fails(capsys, "ask", ASK, "--home", nothing)
    assert "does not exist" in _fails(capsys, "grammar", "build", "--home", nothing)
    cases = tmp_path / "cases.jsonl"
    out = tmp_path / "out.jsonl"
    cases.write_text('{"id": 1}\n')
    line = _fails(capsys, "eval", str(cases), "--out", str(out))
    assert "home, utterance missing" in line
    cases.write_text("{]\n")
    assert ":1:2:" in _fails(capsys, "eval", str(cases), "--out", str(out))
    assert not out.exists()


def test_an_unknown_domain_is_kept_but_not_controlled(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home.json"
    entity = {"entity_id": "spaceship.one", "name": "Spaceship", "state": "flying"}
    home.write_text(json.dumps({"entities": [entity]}))
    assert main(["ask", "turn on the spaceship", "--home", str(home), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["calls"] == []


def test_bench_says_what_is_missing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("pytest_benchmark")
    monkeypatch.setattr("homellm_edge.benchmark._ROOT", tmp_path)
    assert "not part of a wheel" in _fails(capsys, "bench")
