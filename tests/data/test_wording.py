from __future__ import annotations

import json
import random
import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homellm_edge.agent import Agent, Question
from homellm_edge.engine.scripted import ScriptedEngine
from homellm_edge.grounding import Grounder
from homellm_edge.grounding.clauses import split_clauses
from homellm_edge.grounding.exclusions import split_exclusion
from homellm_edge.home import Entity, Home
from homellm_edge.phrases import load
from homellm_edge.simulate import SimulatedHome
from training import TrainingError
from training.data import FOREIGN_SHARE, example, make_example
from training.data.__main__ import main
from training.data.homes import random_home
from training.data.losses import losses
from training.data.names import held_out
from training.data.scene import Said, Scene
from training.data.sentences import say
from training.data.wording import ENGLISH, LANGUAGES, marks, wording_of
from training.data.wording.lexicon import lexicon
from training.data.words import SCOPE_NOUNS

FOREIGN = LANGUAGES[1:]
foreign = pytest.mark.parametrize("language", FOREIGN)


def _said(language: str, seed: int, count: int) -> list[tuple[Home, Said]]:
    rng, wording = random.Random(seed), wording_of(language)
    found: list[tuple[Home, Said]] = []
    while len(found) < count:
        home = random_home(rng, "train", wording.homes)
        said = say(Scene(rng, home, "train", wording)) if home.entities else None
        if said is not None:
            found.append((home, said))
    return found


@foreign
def test_every_maker_speaks_the_language_and_nothing_is_left_open(
    language: str,
) -> None:
    kinds = Counter[str]()
    for _, said in _said(language, 1, 700):
        kinds[said.kind] += 1
        assert said.text
        assert not re.search(r"[{}|\ue000-\ue0ff]", said.text), said.text
    assert set(kinds) >= {
        "single", "grouped", "at_place", "several", "follow_up", "state_question",
        "scope_question", "place_question", "unknown", "unclear", "negation", "talk",
        "on_list", "timer_changed", "timer_started", "later", "dated_question",
    }  # fmt: skip


@foreign
def test_few_sentences_are_lost(language: str) -> None:
    found = losses(language, 300, 3)
    assert found.lost.total() / found.said.total() < 0.12


@foreign
def test_the_word_file_has_what_the_makers_ask_for(language: str) -> None:
    words = lexicon(language)
    for domain in words.lines("domains"):
        assert words.nouns(domain)
    for scope in SCOPE_NOUNS:
        assert words.nouns(f"scope {scope}")
    assert load(language).sections


def test_english_marks_nothing_and_is_what_scenes_speak() -> None:
    rng = random.Random(2)
    home = random_home(rng, "train")
    assert Scene(rng, home, "train").wording is ENGLISH
    assert ENGLISH.settled("dim the lamp", question=False) == "dim the lamp"


def test_the_stream_has_every_language_in_its_share() -> None:
    rng = random.Random(4)
    kinds = Counter(example(rng).kind for _ in range(800))
    for language in FOREIGN:
        assert 0.3 < kinds[language] / 800 / FOREIGN_SHARE < 2
    assert kinds["single"] > 50


def test_an_example_of_a_language_is_of_its_makers_kind() -> None:
    made = example(random.Random(1), "held_out", "de")
    assert made == example(random.Random(1), "held_out", "de")
    assert made.kind not in FOREIGN


@foreign
async def test_training_and_run_time_write_the_same_prompt(language: str) -> None:
    compared = 0
    for home, said in _said(language, 5, 60):
        grounder = Grounder(home, language)
        made = make_example(random.Random(0), grounder, said, "held_out", ())
        words = grounder.read(said.text)
        if made is None or said.recent:
            continue
        if split_clauses(words) != [words] or split_exclusion(words)[1]:
            continue  # the agent asks for the parts
        engine = ScriptedEngine(["x"], prompt_format="grounded")
        agent = Agent(engine, SimulatedHome(home))
        question = Question(said.text, area=said.here, language=language)
        async for _ in agent.turn(question):
            pass
        assert engine.requests[0].prompt.text == made.prompt
        compared += 1
    assert compared > 30


@foreign
def test_held_out_words_stay_out_of_training_homes(language: str) -> None:
    rng, wording = random.Random(7), wording_of(language)
    rare = {n.text for n in lexicon(language).nouns("areas") if held_out(n.text)}

    def areas(split: str) -> set[str]:
        return {
            area.name.lower()
            for _ in range(60)
            for area in random_home(rng, split, wording.homes).areas
        }

    assert not areas("train") & rare
    assert areas("held_out") & rare


def _settled(language: str, template: str, name: str, *, question: bool = False) -> str:
    wording, rng = wording_of(language), random.Random(1)
    noun = lexicon(language)
    known = {n.text: n for d in noun.lines("domains") for n in noun.nouns(d)}[name]
    forms = wording.forms("the", "", known, "")  # type: ignore[attr-defined]
    mark = marks.named(known.gender, forms)
    text = wording.expand(rng, template).replace("{x}", mark)
    return wording.settled(text, question=question)


@pytest.mark.parametrize(
    ("language", "template", "name", "wanted"),
    [
        ("de", "mach {x} an", "ventilator", "mach den ventilator an"),
        ("de", "{x} (soll|sollen) aus", "ventilator", "der ventilator soll aus"),
        ("de", "{x} (soll|sollen) aus", "rollos", "die rollos sollen aus"),
        ("de", "musik von {x}", "fernseher", "musik vom fernseher"),
        ("fr", "éteins {x}", "ampoule", "éteins l'ampoule"),
        ("fr", "le son de {x}", "poste", "le son du poste"),
        ("fr", "laisse {x} (allumé|allumée)", "lampe", "laisse la lampe allumée"),
        ("es", "baja el volumen a {x}", "altavoz", "baja el volumen al altavoz"),
        (
            "es",
            "deja {x} (encendido|encendida|encendidos|encendidas)",
            "luces",
            "deja las luces encendidas",
        ),
        ("pl", "włącz {x}", "lampa", "włącz lampę"),
        ("pl", "puść muzykę na {x}", "głośnik", "puść muzykę na głośniku"),
        ("pl", "nie włączaj {x}", "telewizor", "nie włączaj telewizora"),
        ("pl", "czy {x} (jest|są) włączone", "lampa", "czy lampa jest włączona"),
    ],
)
def test_what_depends_on_its_neighbours_fits(
    language: str, template: str, name: str, wanted: str
) -> None:
    assert _settled(language, template, name) == wanted


def test_german_questions_have_the_nominative() -> None:
    asked = _settled("de", "wo steckt {x}", "saugroboter", question=True)
    assert asked == "wo steckt der saugroboter"


@given(st.text(st.characters(max_codepoint=0x3FF), max_size=40))
@pytest.mark.parametrize("language", LANGUAGES)
def test_any_name_can_be_called(language: str, name: str) -> None:
    wording = wording_of(language)
    called = wording.called(random.Random(1), name)
    assert isinstance(wording.settled(called, question=False), str)


@foreign
@pytest.mark.parametrize("form", ["chatml", "messages", "grounded"])
def test_rows_in_every_format(language: str, form: str, tmp_path: Path) -> None:
    chosen = f"--train --language {language} --format {form} --count 3 --size small"
    main([*chosen.split(), "--out", str(tmp_path)])
    lines = (tmp_path / "train.jsonl").read_text("utf-8").splitlines()
    assert len(lines) == 3
    assert all(json.loads(line) for line in lines)


def test_ids_of_foreign_names_are_plain() -> None:
    for language in FOREIGN:
        home = random_home(random.Random(3), "train", wording_of(language).homes)
        ids = [e.entity_id for e in home.entities if isinstance(e, Entity)]
        assert all(i.isascii() for i in ids)


def test_an_unknown_language_names_those_there_are() -> None:
    with pytest.raises(TrainingError, match="'xx'"):
        wording_of("xx")
