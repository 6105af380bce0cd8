"""What is kept in a folder is found again, and nothing else changes by it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from homellm_edge.grammar import constraint, home_grammar
from homellm_edge.grammar.constraint import Constraints, Vocabulary
from homellm_edge.grammar.keeping import Keeping
from homellm_edge.models import DEFAULT_MODEL
from homes import sample_home
from vocabulary import GgufVocabulary

REPLY = b'Ok.```homeassistant\n{ "service": "light.turn_on", "target_device": "'


@pytest.fixture(scope="module")
def own() -> GgufVocabulary:
    return GgufVocabulary.load(DEFAULT_MODEL)


@pytest.fixture(autouse=True)
def _small_is_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constraint, "_WORTH_KEEPING", 1)


def written(constraints: Constraints, grammar: str, own: Vocabulary) -> list[object]:
    """What may follow at each place of a reply."""
    found = constraints.begin(grammar)
    steps = []
    for token in own.tokenize(REPLY):
        steps.append(found.candidates())
        found.accept(token)
    return steps


def test_a_grammar_is_found_again_with_its_masks(
    tmp_path: Path, own: GgufVocabulary
) -> None:
    grammar = home_grammar(sample_home())
    first = Constraints(own.ours, keeping=Keeping(tmp_path / "made" / "here", "1"))
    wanted = written(first, grammar, own.ours)
    first.save()
    (path,) = (tmp_path / "made" / "here").iterdir()
    made = path.stat().st_mtime_ns

    again = Constraints(own.ours, keeping=Keeping(path.parent, "1"))
    compiled = again._loaded(grammar)
    assert compiled is not None
    assert compiled.masks.states == compiled.kept > 10
    assert written(again, grammar, own.ours) == wanted
    again.save()
    assert path.stat().st_mtime_ns == made, "nothing new, nothing written"

    assert (
        Constraints(own.ours, keeping=Keeping(path.parent, "2"))._loaded(grammar)
        is None
    )
    other = Constraints(own.ours, keeping=Keeping(path.parent, "1"))
    assert other._loaded(grammar + "\n") is None


@pytest.mark.parametrize("damage", [b"", b"homellmG", b"\0" * 5000])
def test_a_damaged_file_is_made_again(
    tmp_path: Path, own: GgufVocabulary, damage: bytes
) -> None:
    grammar = home_grammar(sample_home())
    keeping = Keeping(tmp_path, "1")
    first = Constraints(own.ours, keeping=keeping)
    wanted = written(first, grammar, own.ours)
    first.save()
    (path,) = tmp_path.iterdir()
    path.write_bytes(damage)
    again = Constraints(own.ours, keeping=keeping)
    assert written(again, grammar, own.ours) == wanted
    again.save()
    assert path.stat().st_size > len(damage)
    assert Constraints(own.ours, keeping=keeping)._loaded(grammar)


def test_the_trie_is_found_again(tmp_path: Path, own: GgufVocabulary) -> None:
    keeping = Keeping(tmp_path, "1")
    allowed = bytes([bool(piece) for piece in own.pieces])
    first = keeping.trie(own.pieces, allowed, [own.end])
    (path,) = tmp_path.iterdir()
    made = path.stat().st_mtime_ns
    assert keeping.trie(own.pieces, allowed, [own.end]).image == first.image
    assert path.stat().st_mtime_ns == made
    path.write_bytes(path.read_bytes()[:-1])
    assert keeping.trie(own.pieces, allowed, [own.end]).image == first.image
    keeping.trie(own.pieces[:-1], allowed[:-1], [0])
    assert len(list(tmp_path.iterdir())) == 2


def test_only_the_newest_grammars_are_kept(tmp_path: Path, own: GgufVocabulary) -> None:
    keeping = Keeping(tmp_path, "1")
    for number in range(6):
        constraints = Constraints(own.ours, keeping=keeping)
        constraints.begin(f'root ::= "{number}" [a-z]*').candidates()
        constraints.save()
        for path in tmp_path.iterdir():
            os.utime(path, ns=(0, path.stat().st_mtime_ns - 10**9))
    assert len(list(tmp_path.iterdir())) == 4
    assert Constraints(own.ours, keeping=keeping)._loaded('root ::= "5" [a-z]*')


def test_a_folder_that_cannot_be_used_costs_nothing_else(
    tmp_path: Path, own: GgufVocabulary
) -> None:
    (tmp_path / "file").write_text("in the way")
    constraints = Constraints(own.ours, keeping=Keeping(tmp_path / "file", "1"))
    assert constraints.begin('root ::= "a" | "b"').candidates()
    constraints.save()
