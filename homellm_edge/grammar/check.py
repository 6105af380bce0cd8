"""The checks that llama.cpp makes on a parsed grammar, on its own view of the rules.

llama.cpp turns groups and repeats into rules of their own, numbers all rules in the
order of the text and bounds, checks and judges those. The same rules are made here in
short form: of an element only counts which rule it names, and a chain of optional
copies is as good as its first two links.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from .source import FaultError
from .syntax import (
    Alternatives,
    CharClass,
    Grammar,
    Group,
    Literal,
    Node,
    Repeat,
    Rule,
    RuleRef,
    Sequence,
    Words,
)

_MAX_RULES = 2000
"""How many rules the repeats of one item may become."""

_TERMINAL = -1

_SHOWN = 6
"""So many rules of a cycle are named."""

_Body = list[list[int]]
"""Alternatives of elements: the number of a rule, or _TERMINAL."""

_Edges = dict[int, list[tuple[int, bool]]]
"""Rule -> the rules that it can begin with, and whether something follows them."""


def check(rules: tuple[Rule, ...], root: str) -> Grammar:
    """The grammar of these rules, if llama.cpp takes them.

    Raises:
        FaultError: for the first thing that is wrong.
    """
    table = _Table()
    for rule in rules:
        table.add(rule)
    table.check_names(root)
    plain = {r: any(not a for a in body) for r, body in table.bodies.items()}
    cycle = _cycle(_begins(table.bodies, plain))
    if cycle:
        raise table.left_recursion(cycle)
    # llama.cpp overlooks rules that are empty by way of others, and never returns
    # from those that then grow; whatever grows only in unused rules it never sees.
    used = _reachable(table.bodies, table.numbers[root])
    empty = _nullable(used)
    if growing := _growing(_begins(used, empty)):
        raise table.left_recursion(growing, " by way of empty rules")
    return Grammar(root, {rule.name: rule for rule in rules})


@dataclass(frozen=True, slots=True)
class Shape:
    """What the checks need to know of one rule, whatever rules are beside it.

    `bodies` are llama.cpp's rules for it, its own first; `names` has the names of
    those that other rules are. None: no rule can begin with this one's beginning, nor
    is it ever empty. `doubtful`: whether it is sound depends on what stands before it.
    """

    refers: frozenset[str] = frozenset()
    bodies: dict[int, _Body] | None = None
    names: dict[int, str] = field(default_factory=dict)
    doubtful: bool = False

    @classmethod
    def of(cls, rule: Rule) -> Shape:
        """The shape of a rule."""
        table = _Table()
        try:
            table.add(rule)
        except FaultError:
            return cls(doubtful=True)
        refers = frozenset(table.numbers)
        if all(body and body[0] == _TERMINAL for body in table.bodies[0]):
            if len(table.bodies) == 1:
                return cls(refers)
            # at worst all other rules are empty
            bodies = dict(table.bodies)
            for number in table.numbers.values():
                bodies[number] = [[]]
            if not _cycle(_begins(bodies, _nullable(bodies))):
                return cls(refers)
        names = {number: name for name, number in table.numbers.items()}
        return cls(refers, table.bodies, names)


def surely_sound(shapes: dict[str, Shape], root: str) -> bool:
    """Whether `check` takes these rules; if False, it may take them all the same."""
    defined = shapes.keys()
    if root not in defined:
        return False
    bodies: dict[int, _Body] = {}
    numbers: dict[str, int] = {}
    size = 0
    for shape in shapes.values():
        if shape.doubtful or not shape.refers <= defined:
            return False
        if shape.bodies is None:
            continue
        own: dict[int, int] = {_TERMINAL: _TERMINAL}
        for number in {*shape.bodies, *shape.names}:
            name = shape.names.get(number)
            own[number] = numbers.setdefault(name, size) if name else size
            size += 1
        for number, body in shape.bodies.items():
            bodies[own[number]] = [[own[e] for e in elements] for elements in body]
    for number in numbers.values():
        bodies.setdefault(number, [[_TERMINAL]])
    plain = {number: any(not a for a in body) for number, body in bodies.items()}
    return not (
        _cycle(_begins(bodies, plain)) or _growing(_begins(bodies, _nullable(bodies)))
    )


class _Table:
    """llama.cpp's rules, with the numbers that it gives them."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.bodies: dict[int, _Body] = {}
        self._size = 0
        self._owners: dict[int, Rule] = {}
        self._mentions: dict[str, int] = {}

    def add(self, rule: Rule) -> None:
        number = self._number(rule.name)
        self.bodies[number] = self._alternatives(rule.body, rule)
        self._owners[number] = rule

    def check_names(self, root: str) -> None:
        last = max(self.bodies)
        named = {n for body in self.bodies.values() for a in body for n in a}
        for name, number in self.numbers.items():
            if number in self.bodies or (number > last and number not in named):
                continue
            raise FaultError(
                self._mentions[name],
                f"there is no rule {name!r}",
                f"write {name} ::= ... or correct the name",
            )
        if self.numbers.get(root) not in self.bodies:
            raise FaultError(
                0, f"there is no rule {root!r} to start with", f"write {root} ::= ..."
            )

    def left_recursion(self, cycle: list[int], how: str = "") -> FaultError:
        names = list(dict.fromkeys(self._owners[n].name for n in cycle))
        shown = names if len(names) <= _SHOWN else [*names[:_SHOWN], "..."]
        path = " -> ".join([*shown, names[0]])
        return FaultError(
            self._owners[cycle[0]].position,
            f"rule {names[0]!r} is left-recursive{how} ({path})",
            "let each round begin with some text, or write it as a repeat: ( ... )*",
        )

    def _number(self, name: str) -> int:
        if name not in self.numbers:
            self.numbers[name] = self._size
            self._size += 1
        return self.numbers[name]

    def _new(self, owner: Rule, count: int = 1) -> int:
        """The number of the last of so many new rules."""
        self._size += count
        self._owners[self._size - 1] = owner
        return self._size - 1

    def _alternatives(self, node: Node, owner: Rule) -> _Body:
        if isinstance(node, Words):
            return [[_TERMINAL], []] if "" in node.texts else [[_TERMINAL]]
        options = node.options if isinstance(node, Alternatives) else (node,)
        return [self._sequence(option, owner) for option in options]

    def _sequence(self, node: Node, owner: Rule) -> list[int]:
        elements: list[int] = []
        for part in node.parts if isinstance(node, Sequence) else (node,):
            elements += self._part(part, owner)
        return elements

    def _part(self, node: Node, owner: Rule) -> list[int]:
        repeats: list[Repeat] = []
        while isinstance(node, Repeat):
            repeats.append(node)
            node = node.item
        rules = 1
        if isinstance(node, RuleRef):
            self._mentions.setdefault(node.name, node.position)
            elements = [self._number(node.name)]
        elif isinstance(node, Group):
            before = self._size
            number = self._new(owner)
            self.bodies[number] = self._alternatives(node.body, owner)
            rules = self._size - before
            elements = [number]
        elif (isinstance(node, Literal) and node.text == "") or (
            isinstance(node, CharClass) and not node.ranges
        ):
            elements = []
        else:
            elements = [_TERMINAL]
        for repeat in reversed(repeats):
            if not elements:
                raise FaultError(
                    repeat.position,
                    "this repeats an item that is empty",
                    "remove the repeat",
                )
            rules *= max(1, repeat.high or repeat.low)
            if rules > _MAX_RULES:
                raise FaultError(
                    repeat.position,
                    f"these repeats make {rules} rules, more than {_MAX_RULES}",
                    "repeat fewer times, or give the inner part a rule of its own",
                )
            elements = _first_and_last(self._repeated(elements, repeat, owner))
        return elements

    def _repeated(self, item: list[int], repeat: Repeat, owner: Rule) -> list[int]:
        elements = item * min(repeat.low, 2)
        if repeat.high is None:
            number = self._new(owner)
            self.bodies[number] = [[*item, number], []]
            return [*elements, number]
        optional = repeat.high - repeat.low
        if not optional:
            return elements
        first = self._new(owner)
        self.bodies[first] = [item, []]
        if optional == 1:
            return [*elements, first]
        last = self._new(owner, optional - 1)
        self.bodies[last] = [[*item, first], []]
        return [*elements, last]


def _first_and_last(elements: list[int]) -> list[int]:
    """Without the occurrences between, which change nothing for the checks here."""
    last = {element: index for index, element in enumerate(elements)}
    first = {element: index for index, element in reversed([*enumerate(elements)])}
    kept = {*first.values(), *last.values()}
    return [element for index, element in enumerate(elements) if index in kept]


def _begins(bodies: dict[int, _Body], empty: dict[int, bool]) -> _Edges:
    edges: _Edges = {}
    for number, body in bodies.items():
        found = edges[number] = []
        for elements in body:
            for index, element in enumerate(elements):
                if element == _TERMINAL:
                    break
                found.append((element, index + 1 < len(elements)))
                if not empty[element]:
                    break
    return edges


def _nullable(bodies: dict[int, _Body]) -> dict[int, bool]:
    empty = dict.fromkeys(bodies, False)
    # Of each sequence of rules: how many may not yet be empty, and whose it is.
    users: dict[int, list[list[int]]] = {}
    work: list[int] = []
    for number, body in bodies.items():
        for elements in body:
            if not elements:
                work.append(number)
            elif _TERMINAL not in elements:
                waiting = [len(elements), number]
                for element in elements:
                    users.setdefault(element, []).append(waiting)
    while work:
        number = work.pop()
        if empty[number]:
            continue
        empty[number] = True
        for waiting in users.get(number, ()):
            waiting[0] -= 1
            if not waiting[0]:
                work.append(waiting[1])
    return empty


def _reachable(bodies: dict[int, _Body], root: int) -> dict[int, _Body]:
    found: dict[int, _Body] = {}
    work = [root]
    while work:
        number = work.pop()
        if number != _TERMINAL and number not in found:
            found[number] = bodies[number]
            work += [e for a in bodies[number] for e in a]
    return found


def _cycle(edges: _Edges) -> list[int] | None:
    """The rules of one cycle, if there is any."""
    done: set[int] = set()
    for start in edges:
        if start in done:
            continue
        path, on_path = [start], {start}
        todo: list[Iterator[tuple[int, bool]]] = [iter(edges[start])]
        while path:
            following = next(todo[-1], None)
            if following is None:
                todo.pop()
                done.add(path[-1])
                on_path.discard(path.pop())
            elif following[0] in on_path:
                return path[path.index(following[0]) :]
            elif following[0] not in done:
                path.append(following[0])
                on_path.add(following[0])
                todo.append(iter(edges[following[0]]))
    return None


def _growing(edges: _Edges) -> list[int] | None:
    """The rules of a cycle in which something is left to do in each round."""
    part = _components(edges)
    for number, found in edges.items():
        for target, more in found:
            if more and part(number) == part(target):
                return sorted(n for n in edges if part(n) == part(number))
    return None


def _components(edges: _Edges) -> Callable[[int], int]:
    """Strongly connected components (Kosaraju): rule -> number of its component."""
    order: list[int] = []
    seen: set[int] = set()
    for start in edges:
        if start in seen:
            continue
        seen.add(start)
        todo = [(start, iter(edges[start]))]
        while todo:
            number, targets = todo[-1]
            for target, _ in targets:
                if target not in seen:
                    seen.add(target)
                    todo.append((target, iter(edges[target])))
                    break
            else:
                order.append(number)
                todo.pop()
    back: dict[int, list[int]] = {number: [] for number in edges}
    for number, found in edges.items():
        for target, _ in found:
            back[target].append(number)
    part: dict[int, int] = {}
    for start in reversed(order):
        if start in part:
            continue
        part[start] = start
        work = [start]
        while work:
            for source in back[work.pop()]:
                if source not in part:
                    part[source] = start
                    work.append(source)
    return part.__getitem__
