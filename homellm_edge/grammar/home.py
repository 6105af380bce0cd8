"""Live home -> GBNF: speech, then at most the calls that this home offers.

The output form is the seed's: a fenced block with one JSON object a line. An entity,
service or argument value that is not in the home has no derivation. A target is one
device, a list of devices that take the same, or an area or floor with such devices;
what opens the house only ever has one device.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..home import Home
from ..services import MAX_TARGETS, Argument, Service
from . import gbnf
from .offers import Allow, Call, Catalogue, Kind, Names, Offers, keep

SPEECH = r"[^`\x00-\x08\x0B-\x1F\x7F]+"
"""What can be spoken: no backtick, which opens a block, and no control character."""

_BLANKS = r"\x20\x85\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000"
_NO_TEXT = r"\x22\x5C\x60\x00-\x1F\x7F"
"""Quote, backslash and backtick, so that a text needs no escape; control characters."""

_SHARED = {
    "rgb": '"[" byte ", " byte ", " byte "]"',
    "boolean": '"true" | "false"',
    "time": r'"\"" ([01] [0-9] | "2" [0-3]) (":" [0-5] [0-9]){2} "\""',
}


def home_grammar(home: Home, allow: Allow | None = None) -> str:
    """GBNF whose root matches a reply of the home; see `HomeGrammar`."""
    return HomeGrammar(allow).text(home)


class HomeGrammar:
    """The grammars of a home as it changes.

    A text depends on the home alone. The states do not matter to it; a new device
    changes one or two rules, and all others stay as they are, in the same order.
    """

    def __init__(self, allow: Allow | None = None) -> None:
        self._catalogue = Catalogue(allow)
        self._names = Names()
        self._last: tuple[Offers, str] | None = None
        self._domains: dict[tuple[Call, ...], _Domain] = {}
        self._alternatives: dict[tuple[str, ...], str] = {}

    def text(self, home: Home) -> str:
        """GBNF whose root matches a reply of the home."""
        offers = self._catalogue.offers(home)
        last = self._last
        if last is None or last[0] != offers:
            self._last = last = (offers, self._written(offers))
        return last[1]

    def _written(self, offers: Offers) -> str:
        if not offers.calls:
            return f"root ::= speech\nspeech ::= {SPEECH}\n"
        domains = [self._domain(name, calls) for name, calls in offers.calls.items()]
        names = gbnf.any_of(domain.rule for domain in domains)
        shared: dict[str, str] = {}
        lines = [
            "root ::= speech block?",
            f"speech ::= {SPEECH}",
            'block ::= "```homeassistant\\n" call ("\\n" call)* "\\n```"',
            f'call ::= "{{ \\"service\\": \\"" ({names}) " }}"',
        ]
        for domain in domains:
            lines += domain.lines
            shared.update(domain.shared)
            for kinds, (rule, named) in domain.targets.items():
                ids = {place for kind in kinds for place in offers.places[kind]}
                lines.append(f"{rule} ::= {named}{self._areas(tuple(sorted(ids)))}")
        for kind, entity_ids in offers.devices.items():
            lines.append(f"device-{kind.name} ::= {self._devices(entity_ids)}")
        lines += [f"{rule} ::= {body}" for rule, body in sorted(shared.items())]
        return "\n".join([*lines, ""])

    def _domain(self, name: str, calls: tuple[Call, ...]) -> _Domain:
        domain = self._domains.get(calls)
        if domain is None:
            domain = _Domain(name, calls, self._names)
            keep(self._domains, calls, domain)
        return domain

    def _devices(self, entity_ids: tuple[str, ...]) -> str:
        found = self._alternatives.get(entity_ids)
        if found is None:
            domain = entity_ids[0].partition(".")[0]
            names = " | ".join(f'"{i[len(domain) + 1 :]}"' for i in entity_ids)
            found = f'"{domain}." ({names})'
            keep(self._alternatives, entity_ids, found)
        return found

    def _areas(self, ids: tuple[str, ...]) -> str:
        """The rest of a target rule: that it may be one of these places."""
        found = self._alternatives.get(("", *ids))
        if found is None:
            texts = [gbnf.json_text(i) for i in ids]
            found = f' | "area\\": " ({gbnf.any_of(texts)})' if texts else ""
            keep(self._alternatives, ("", *ids), found)
        return found


class _Domain:
    """The rules of a domain, which stay as long as no other kind of device appears.

    `lines` has the calls, `shared` the values and targets, `targets` the rules that
    are still to be written: devices of some kinds, to which come their places.
    """

    def __init__(self, domain: str, calls: Sequence[Call], names: Names) -> None:
        self.rule = names.plain(f"calls-{domain}")
        self.targets: dict[tuple[Kind, ...], tuple[str, str]] = {}
        self.shared: dict[str, str] = {}
        self._names = names
        bodies: dict[str, str] = {}
        for call in calls:
            name = f"call-{call.service.name}{'-list' if call.lists_only else ''}"
            bodies[names.of(name, repr(call.service))] = self._call(call)
        self.lines = [
            f"{self.rule} ::= {gbnf.any_of(bodies)}",
            *(f"{rule} ::= {body}" for rule, body in bodies.items()),
        ]

    def _call(self, call: Call) -> str:
        head = gbnf.literal(f'{call.service.name}", "target_')
        return " ".join([head, self._target(call), *self._arguments(call.service)])

    def _target(self, call: Call) -> str:
        """The rule of what may be its target."""
        kinds = call.kinds
        one = f"device-{kinds[0].name}"
        if len(kinds) > 1:
            each = gbnf.any_of(f"device-{kind.name}" for kind in kinds)
            one = self._rule(f"devices-{call.domain}", each)
        single = f'"\\"" {one} "\\""'
        several = f'"[" {single} (", " {single}){{0,{MAX_TARGETS - 1}}} "]"'
        if call.single:
            return self._rule(f"one-{call.domain}", f'"device\\": " {single}')
        if call.lists_only:
            return self._rule(f"list-{call.domain}", f'"device\\": " {several}')
        named = f'"device\\": " ({single} | {several})'
        rule = self._names.of(f"target-{call.domain}", named)
        self.targets[kinds] = (rule, named)
        return rule

    def _arguments(self, service: Service) -> list[str]:
        variants = dict.fromkeys(a.variant for a in service.arguments if a.variant)
        if len(variants) < 2:
            return [self._argument(a) for a in service.arguments]
        parts = [self._argument(a) for a in service.arguments if not a.variant]
        choices = []
        for variant in variants:
            own = [a for a in service.arguments if a.variant == variant]
            choices.append(" ".join(self._argument(a, bare=len(own) == 1) for a in own))
        optional = not any(a.required for a in service.arguments if a.variant)
        # They stand where the first of them is described.
        first = next(n for n, a in enumerate(service.arguments) if a.variant)
        parts.insert(first, f"({gbnf.any_of(choices)}){'?' if optional else ''}")
        return parts

    def _argument(self, argument: Argument, *, bare: bool = False) -> str:
        key = gbnf.literal(f', "{argument.spoken_as or argument.name}": ')
        pair = f"{key} {self._value(argument)}"
        return pair if argument.required or bare else f"({pair})?"

    def _value(self, argument: Argument) -> str:
        kind = argument.kind
        if kind in _SHARED:
            self.shared[kind] = _SHARED[kind]
            if kind == "rgb":
                byte = Argument("byte", "integer", 0, 255)
                self.shared["byte"] = gbnf.numbers(byte.numbers)
            return kind
        if kind == "choice":
            return self._rule(kind, gbnf.any_of(map(gbnf.json_text, argument.choices)))
        if kind == "text":
            least, most = int(argument.minimum), int(argument.maximum)
            rest = f"[^{_NO_TEXT}]{{{least - 1},{most - 1}}}" if most > 1 else ""
            return self._rule(kind, f'"\\"" [^{_NO_TEXT}{_BLANKS}] {rest} "\\""')
        return self._rule("number", gbnf.numbers(argument.numbers))

    def _rule(self, prefix: str, body: str) -> str:
        """The name of the rule with that body."""
        name = self._names.of(prefix, body)
        self.shared[name] = body
        return name


__all__ = ["SPEECH", "Allow", "HomeGrammar", "home_grammar"]
