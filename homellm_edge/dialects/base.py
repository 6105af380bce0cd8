"""How one kind of model is asked and understood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from ..engine.base import Request, Sampling
from ..grounding import Grounding
from ..home import Home
from ..phrases.labels import Hint
from ..prompt import PastTurn, Prompt
from ..prompt.chatml import DEFAULT_PERSONA
from ..queries import Query
from ..services import ServiceCall


@dataclass(frozen=True, slots=True)
class Situation:
    """What a turn starts from. `history` holds earlier turns, oldest first.

    `hints` are what the nearest known phrases mean, for a dialect that takes them;
    `meanings` are all that it may mean with their probabilities, likeliest first, for
    one that shows examples.
    """

    home: Home
    sentence: str
    grounding: Grounding
    area: str | None = None
    now: datetime | None = None
    history: Sequence[PastTurn] = ()
    hints: Sequence[Hint] = ()
    meanings: Sequence[tuple[str, float]] = ()


@dataclass(frozen=True, slots=True)
class PromptOptions:
    """What a user may set about the request; read anew for every turn.

    `examples` is how many example exchanges a model is shown that was not trained for
    the task; `models.catalogue.usual_examples` knows how many suit a model.
    """

    persona: str = DEFAULT_PERSONA
    max_tokens: int = 256
    sampling: Sampling = field(default_factory=Sampling)
    examples: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply without a call; `kind` is one of `language.REPLIES`."""

    kind: str


Step = ServiceCall | Query | Reply


class HintSource(Protocol):
    """Where an agent gets hints from. Blocks for some milliseconds."""

    def hints(self, found: Grounding, home: Home) -> Sequence[Hint]:
        """What the sentence probably means, the likeliest first."""
        ...


@runtime_checkable
class MeaningSource(Protocol):
    """Where an agent learns what a sentence may mean. Blocks for some milliseconds."""

    def meanings(self, found: Grounding, home: Home) -> Sequence[tuple[str, float]]:
        """Labels with their probabilities, the likeliest first."""
        ...


class Dialect(Protocol):
    """Turns a situation into a request, and an output object into steps."""

    speaks: bool
    """Whether the model's own speech is told; else code tells what happened."""

    hinted: bool
    """Whether the prompt has room for hints from the nearest phrases."""

    exemplified: bool
    """Whether the prompt has room for example exchanges."""

    def standing(
        self, home: Home, history: Sequence[PastTurn], options: PromptOptions
    ) -> Prompt:
        """What of the next prompt is known before anybody speaks."""
        ...

    def past(self, situation: Situation, written: str) -> PastTurn:
        """This turn as a later one will remember it; `written` by the model and us."""
        ...

    def request(self, situation: Situation, options: PromptOptions) -> Request:
        """The request for this turn."""
        ...

    def steps(self, situation: Situation, data: Mapping[str, Any]) -> Sequence[Step]:
        """What one object of the output asks for; raises CallError if it may not."""
        ...
