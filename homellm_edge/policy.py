"""What needs the person's own, explicit words before it is done.

Unlocking, opening a door, garage or gate, and running scripts are done at once only
when the sentence asks for exactly that of that one device by name; else the agent
asks back. Nothing in the home's data (names, titles) counts as such a request.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .grounding import Grounding
from .home import Home
from .services import ServiceCall, service_for

_ASKED: Mapping[str, frozenset[str]] = {
    "unlock": frozenset(
        "unlock unlocked unbolt unlatch unfasten release disengage undo open".split()
    ),
    "open_cover": frozenset(["open", "opened", "raise", "lift", "up"]),
    "set_cover_position": frozenset(["open", "opened", "set", "raise", "position"]),
    "open": frozenset(["open", "opened", "unlatch"]),
    "alarm_disarm": frozenset(["disarm", "disarmed", "deactivate"]),
    "trigger": frozenset(["trigger", "run", "start", "execute"]),
    "toggle": frozenset(["toggle", "open"]),
    "turn_on": frozenset(
        ["run", "start", "execute", "trigger", "launch", "activate", "on"]
    ),
}
_OPENING = frozenset(["unlock", "open_cover", "open", "set_cover_position"])
_CONTRARY = frozenset("close shut lock bolt latch secure".split())
"""Verbs that no request to open comes with: `close the front door up` may be one to
unlock it in another language, or not."""

_SWITCHING = frozenset(["turn", "switch", "put"])
"""With one of these `on` is an order; in `we are on our way` it is none."""

_ASKING = frozenset(
    "who whom whose what which when where why how did does has have had is are was were"
    " if".split()
)
"""A sentence that begins so speaks of an opening and does not ask for it."""

_REPORTED = frozenset("if whether unless said says happens service services".split())
"""Words of conditions, reports and code: nobody asks for an opening with them."""

_NEGATED = frozenset(
    "not dont never no without nor neither cannot nobody nothing".split()
)


def needs_confirmation(
    home: Home, call: ServiceCall, found: Grounding, others: Sequence[ServiceCall] = ()
) -> bool:
    """Whether the call has to be asked back. `others` are calls of the same turn."""
    offers = [
        service_for(entity, call.service)
        for target in call.targets
        if (entity := home.entity(target)) is not None
    ]
    if not any(offer is not None and offer.explicit for offer in offers):
        return False
    verb = call.service.partition(".")[2]
    spoken = {t.text for t in found.tokens}
    if len(call.targets) != 1 or any(o.service == call.service for o in others):
        return True
    own = spoken - found.guessed
    if verb in _OPENING and _CONTRARY & _outside_mentions(found):
        return True
    asked = own & _ASKED.get(verb, frozenset())
    if not asked or (asked == {"on"} and not own & _SWITCHING):
        return True
    if spoken & (_NEGATED | _REPORTED) or found.tokens[0].text in _ASKING:
        return True
    return not _named(found, call.targets[0])


def _outside_mentions(found: Grounding) -> set[str]:
    inside = {p for m in found.mentions for p in m.positions}
    return {t.text for at, t in enumerate(found.tokens) if at not in inside}


def _named(found: Grounding, entity_id: str) -> bool:
    """Whether the sentence names this device well, and no other one of its domain."""
    domain = entity_id.partition(".")[0]
    strong = [
        e
        for e, quality in zip(found.entities, found.qualities, strict=True)
        if e.partition(".")[0] == domain and quality in "=~"
    ]
    return strong == [entity_id] and not any(m.by_pronoun for m in found.mentions)
