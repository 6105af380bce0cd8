"""The data set: sentences in random homes, grounded by the run-time code itself.

Every example is a function of (seed, index): nothing is stored. The prompt is made by
the very functions that the library uses, so training and run time agree byte for byte.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from homellm_edge.grounding import Grounding, render
from homellm_edge.grounding.hints import Grounder
from homellm_edge.grounding.index import HomeIndex
from homellm_edge.grounding.matcher import Candidate
from homellm_edge.language import macros
from homellm_edge.phrases.labels import Hint, labels, token
from homellm_edge.prompt.grounded import HEADER, grounded_prompt

from .encoding import LostError, encode
from .hinting import noisy_hints, with_words_lost
from .homes import random_home
from .scene import Said, Scene
from .sentences import say
from .wording import ENGLISH, LANGUAGES, wording_of

VERSION = "3.0"
SPLITS = ("train", "held_out", "phrasings")
SPECIALS = ("<|pad|>", "<|im_start|>", "<|im_end|>")
FOREIGN_SHARE = 0.0375
"""Of each language that is not English."""

MACROS = (*macros(), *(token(label) for label in labels()))


Lines = Callable[[HomeIndex, Grounding], str]
"""Writes what of the home stands before a sentence."""


@dataclass(frozen=True, slots=True)
class Example:
    """One prompt (up to and including the assistant's header) and its answer."""

    prompt: str
    answer: str
    kind: str
    sentence: str = ""


def no_lines(index: HomeIndex, found: Grounding) -> str:
    """What stands before the sentence: nothing of the home."""
    return ""


def example(
    rng: random.Random,
    split: str = "train",
    language: str | None = None,
    lines: Lines = no_lines,
) -> Example:
    """The next example; a home is used for one sentence, to keep them independent.

    Without a language one is drawn, and those that are not English are of one kind, so
    that a log shows each language as one figure.
    """
    if language is None:
        language = drawn_language(rng)
        drawn = example(rng, split, language, lines)
        if language == ENGLISH.language:
            return drawn
        return dataclasses.replace(drawn, kind=language)
    wording = wording_of(language)
    while True:
        scene = Scene(rng, random_home(rng, split, wording.homes), split, wording)
        if not scene.home.entities:
            continue
        grounder = Grounder(scene.home, language)
        for _ in range(4):
            said = say(scene)
            made = said and make_example(rng, grounder, said, split, lines=lines)
            if said and made:
                return made


def drawn_language(rng: random.Random) -> str:
    """English mostly; the others have equal parts of what is left."""
    others = [x for x in LANGUAGES if x != ENGLISH.language]
    roll = rng.random()
    if roll >= FOREIGN_SHARE * len(others):
        return ENGLISH.language
    return others[int(roll / FOREIGN_SHARE)]


def CORPUS(rng: random.Random, count: int) -> Iterator[str]:  # noqa: N802
    """Texts for the tokenizer: `count` prompts without their ChatML frame."""
    for _ in range(count):
        made = example(rng)
        yield made.prompt[len(HEADER) :].partition("<|im_end|>")[0]


def make_example(
    rng: random.Random,
    grounder: Grounder,
    said: Said,
    split: str,
    hints: Sequence[Hint] | None = None,
    lines: Lines = no_lines,
) -> Example | None:
    """Prompt and answer of a saying; None if the matcher loses what it is about.

    Without `hints` they are drawn as they might be at run time.
    """
    found = grounder.ground(said.text, said.here, said.recent)
    if split == "train" and rng.random() < 0.2:
        found = _disturbed(rng, grounder, found)
    try:
        answer = encode(said.wanted, found)
    except LostError:
        # The matcher missed it. Where nothing else is marked either, the honest answer
        # is that there is no such device; else the example would teach a lie.
        if (
            found.entities
            or found.places
            or len(said.wanted) != 1
            or "device" not in said.wanted[0]
            or "service" not in said.wanted[0]
        ):
            return None
        answer = encode([{"reply": "not_found"}], found)
    sure = False
    if hints is None:
        hints, sure = noisy_hints(rng, said.label)
    text = found.text
    if sure and split == "train" and rng.random() < 0.12:
        text = with_words_lost(rng, text)
    prompt = grounded_prompt(lines(grounder.index, found) + text, hints)
    return Example(prompt.header + prompt.question, answer, said.kind, said.text)


def _disturbed(rng: random.Random, grounder: Grounder, found: Grounding) -> Grounding:
    """The same sentence with a less certain matcher: doubts, rivals, another order."""
    index = grounder.index
    mentions = []
    for mention in found.mentions:
        candidates = list(mention.candidates)
        roll = rng.random()
        if roll < 0.3 and candidates:
            candidates = [Candidate(c.entity, "~", c.score) for c in candidates]
        elif roll < 0.6 and candidates and len(index.entities) > 4:
            rival = rng.randrange(len(index.entities))
            if rival not in {c.entity for c in candidates}:
                candidates.append(Candidate(rival, "?", 0.4))
        mentions.append(dataclasses.replace(mention, candidates=tuple(candidates[:4])))
    return render(index, found.tokens, mentions, found.here)
