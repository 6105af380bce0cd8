"""Reading banks: what a file may hold, and errors that name the place."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homellm_edge.phrases import PhraseError, Section, load, own_phrases, read


def _read(*texts: str) -> tuple[Section, ...]:
    return read("x", [(f"f{n}.txt", text) for n, text in enumerate(texts, 1)]).sections


def test_sections_comments_and_shared_lines() -> None:
    sections = _read(
        "# a comment\n[action fan.turn_on]\n@on\n  blow air  \n@on\n\nblow air\n",
        "[shared on]\nturn on {x}\n(start|run) {x}\n[reply hello]\nhi\n",
        "[action fan.turn_on]\nspin {x}\n[negation]\ndo not {x}\n",
    )
    assert sections == (
        Section(
            "action",
            "fan.turn_on",
            ("turn on {x}", "(start|run) {x}", "blow air", "spin {x}"),
        ),
        Section("reply", "hello", ("hi",)),
        Section("negation", "", ("do not {x}",)),
    )
    bank = read("x", [("f", "[is on]\non\n[is off]\noff\n")])
    assert bank.of_kind("is") == {"on": ("on",), "off": ("off",)}
    assert bank.lines("is", "on") == ("on",)
    assert bank.lines("is", "up") == bank.lines("reply") == ()


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("[explode light]", "is no section"),
        ("[action light", "is no section"),
        ("[action ]", "is no section"),
        ("turn (on|off {x}", "unbalanced"),
        ("turn on) ({x}", "unbalanced"),
        ("turn on {q}", "q means nothing in [action]"),
        ("the {g} are on", "g means nothing in [action]"),
        ("turn on {x", "a brace means nothing"),
        ("turn on {X}", "a brace means nothing"),
        ("turn on { x }", "a brace means nothing"),
        ("Turn on {x}", "capitals or punctuation"),
        ("turn on, {x}", "capitals or punctuation"),
        ("turn on {x}!", "capitals or punctuation"),
        ("turn on <E1>", "capitals or punctuation"),
        ("@gone", "takes in @gone, which is not there"),
    ],
)
def test_errors_name_file_and_line(line: str, cause: str) -> None:
    good = "[action fan.turn_on]\nspin {x}\n"
    with pytest.raises(PhraseError) as caught:
        _read(good, f"# here\n[action light.turn_on]\nlight {{x}}\n{line}\n")
    assert caught.value.cause.startswith("f2.txt:4: ")
    assert cause in caught.value.cause
    assert caught.value.cure


def test_a_phrase_before_any_section() -> None:
    with pytest.raises(PhraseError, match=r"f1\.txt:2: a phrase before"):
        _read("# nothing yet\nturn on {x}\n")


def test_shared_lines_are_checked_where_they_are_taken_in() -> None:
    shared = "[shared on]\nturn on {x}\n"
    with pytest.raises(PhraseError, match=r"f2\.txt:2: x means nothing in"):
        _read(shared, "[is on]\n@on\n")
    with pytest.raises(PhraseError, match=r"f2\.txt:2: @on in a shared section"):
        _read(shared, "[shared more]\n@on\n")


@given(st.text(max_size=60) | st.text("[](){}|@#xn actionreplyhello\n", max_size=60))
def test_any_text_is_a_bank_or_a_clear_error(text: str) -> None:
    place = "none was needed"
    try:
        for section in _read(f"[action fan.turn_on]\n{text}"):
            assert all(section.templates)
    except PhraseError as err:
        place = err.cause
        assert place.startswith("f1.txt:")
    assert place


def test_a_language_that_is_not_there() -> None:
    with pytest.raises(PhraseError) as caught:
        load("xx")
    assert "en" in caught.value.cure


def test_own_phrases(tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_text(
        "[place light.turn_on:brightness=1]\ncuddle time\n[reply hello]\nhuhu\n"
        "[is on]\nglowing\n",
        encoding="utf-8",
    )
    assert own_phrases(path) == [
        ("cuddle time", "light.turn_on:brightness=1"),
        ("huhu", "reply hello"),
    ]
    path.write_text("cuddle time\n", encoding="utf-8")
    with pytest.raises(PhraseError, match=r"mine\.txt:1:"):
        own_phrases(path)


def test_own_phrases_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    for content in (b"\xff\xfe", b"x" * 2**21):
        path.write_bytes(content)
        with pytest.raises(PhraseError, match=r"mine\.txt"):
            own_phrases(path)
    with pytest.raises(PhraseError, match="gone"):
        own_phrases(tmp_path / "gone")
