from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Sequence

from grammar_oracle import GrammarOracle
from homellm_edge.agent import Agent, Question
from homellm_edge.dialects import GroundedDialect, Situation
from homellm_edge.dialects.base import PromptOptions
from homellm_edge.engine.scripted import ScriptedEngine
from homellm_edge.grounding import Grounder, Grounding
from homellm_edge.grounding.clauses import split_clauses
from homellm_edge.grounding.exclusions import split_exclusion
from homellm_edge.grounding.text import tokens
from homellm_edge.home import Home
from homellm_edge.language import CLOSE, OPEN
from homellm_edge.phrases.labels import Hint
from homellm_edge.services import ServiceCall
from homellm_edge.simulate import SimulatedHome
from training.data import example, make_example
from training.data.encoding import LostError, encode
from training.data.homes import random_home
from training.data.names import AREAS, held_out
from training.data.scene import Said, Scene
from training.data.sentences import say


class _Hints:
    """A hint source that always says the same."""

    def __init__(self, hints: Sequence[Hint]) -> None:
        self._hints = hints

    def hints(self, found: Grounding, home: Home) -> Sequence[Hint]:
        return self._hints


def _sayings(seed: int, count: int) -> list[tuple[Home, Grounder, Said]]:
    rng = random.Random(seed)
    found: list[tuple[Home, Grounder, Said]] = []
    while len(found) < count:
        home = random_home(rng, "train")
        if not home.entities:
            continue
        said = say(Scene(rng, home, "train"))
        if said is not None:
            found.append((home, Grounder(home), said))
    return found


def test_the_same_seed_gives_the_same_example() -> None:
    assert example(random.Random(5)) == example(random.Random(5))
    assert example(random.Random(5)) != example(random.Random(6))


def test_every_kind_occurs() -> None:
    rng = random.Random(1)
    kinds = Counter(example(rng).kind for _ in range(600))
    assert set(kinds) >= {
        "single", "grouped", "at_place", "several", "follow_up", "state_question",
        "scope_question", "place_question", "unknown", "unclear", "negation", "talk",
    }  # fmt: skip


def test_every_answer_is_a_sentence_of_its_own_grammar(
    grammar_oracle: GrammarOracle,
) -> None:
    dialect = GroundedDialect()
    for home, grounder, said in _sayings(2, 150):
        found = grounder.ground(said.text, said.here, said.recent)
        try:
            answer = encode(said.wanted, found)
        except LostError:
            continue
        situation = Situation(home, said.text, found)
        grammar = dialect.request(situation, PromptOptions()).grammar
        assert grammar is not None
        assert grammar_oracle.accepts(grammar, answer), (said.text, answer)


async def test_training_and_run_time_write_the_same_prompt() -> None:
    """What the data set teaches is, byte for byte, what an agent sends to its model."""
    compared = 0
    for home, grounder, said in _sayings(3, 150):
        # held_out: without the noise that training adds to the mentions
        hints = [("light.turn_on", "~"), ("fan.turn_on", "?")][: compared % 3]
        made = make_example(random.Random(0), grounder, said, "held_out", hints)
        if made is None or said.recent:
            continue
        words = tokens(said.text)
        if split_clauses(words) != [words] or split_exclusion(words)[1]:
            continue  # the agent asks for the parts
        engine = ScriptedEngine(["x"], prompt_format="grounded")
        agent = Agent(engine, SimulatedHome(home), hints=_Hints(hints))
        async for _ in agent.turn(Question(said.text, area=said.here)):
            pass
        prompt = engine.requests[0].prompt
        assert prompt.text == made.prompt
        compared += 1
    assert compared > 100


def test_the_dialect_calls_what_the_sentence_wanted() -> None:
    dialect, checked = GroundedDialect(), 0
    for home, grounder, said in _sayings(4, 300):
        wanted = said.wanted[0]
        if len(said.wanted) != 1 or "device" not in wanted or "service" not in wanted:
            continue
        found = grounder.ground(said.text, said.here, said.recent)
        try:
            answer = encode(said.wanted, found)
        except LostError:
            continue
        data = json.loads(answer.removeprefix(OPEN).removesuffix(CLOSE))
        situation = Situation(home, said.text, found)
        try:
            steps = dialect.steps(situation, data)
        except ValueError:  # a number that this device cannot take
            continue
        call = steps[0]
        assert isinstance(call, ServiceCall)
        assert (call.service, call.targets) == (wanted["service"], (wanted["device"],))
        checked += 1
    assert checked > 50


def test_held_out_words_stay_out_of_training_homes() -> None:
    rng = random.Random(7)
    rare = {w for w in AREAS if held_out(w)}
    assert rare
    areas = {
        area.name.lower()
        for _ in range(200)
        for area in random_home(rng, "train").areas
    }
    assert not areas & rare
    unseen = {
        area.name.lower()
        for _ in range(50)
        for area in random_home(rng, "held_out").areas
    }
    assert unseen & rare
