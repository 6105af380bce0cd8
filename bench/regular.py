"""A GBNF text without recursion as one regular expression, for llguidance."""

from __future__ import annotations

from homellm_edge.grammar.parser import parse
from homellm_edge.grammar.syntax import (
    Alternatives,
    AnyChar,
    CharClass,
    Grammar,
    Group,
    Literal,
    Node,
    Repeat,
    RuleRef,
    Sequence,
    Words,
)

_SHORT = {(0, None): "*", (1, None): "+", (0, 1): "?"}


def regular_expression(text: str) -> str:
    """The regular expression (Rust's syntax) that matches what the GBNF text does.

    Raises ValueError for a rule that contains itself.
    """
    grammar = parse(text)
    return _rule(grammar, grammar.root, ())


def _rule(grammar: Grammar, name: str, inside: tuple[str, ...]) -> str:
    if name in inside:
        raise ValueError(f"rule {name} contains itself")
    return _node(grammar, grammar.rules[name].body, (*inside, name))


def _node(grammar: Grammar, node: Node, inside: tuple[str, ...]) -> str:
    if isinstance(node, Literal):
        if node.text is None:
            raise ValueError("a literal has characters that do not exist")
        return _literal(node.text)
    if isinstance(node, Words):
        return f"({'|'.join(map(_literal, node.texts))})"
    if isinstance(node, CharClass):
        ranges = "".join(
            _character(low) + (f"-{_character(high)}" if high > low else "")
            for low, high in node.ranges
        )
        return f"[{'^' if node.negated else ''}{ranges}]"
    if isinstance(node, AnyChar):
        return r"[\s\S]"
    if isinstance(node, RuleRef):
        return f"({_rule(grammar, node.name, inside)})"
    if isinstance(node, Group):
        return f"({_node(grammar, node.body, inside)})"
    if isinstance(node, Sequence):
        return "".join(_node(grammar, part, inside) for part in node.parts)
    if isinstance(node, Alternatives):
        options = (_node(grammar, option, inside) for option in node.options)
        return f"({'|'.join(options)})"
    if isinstance(node, Repeat):
        high = "" if node.high is None else node.high
        times = _SHORT.get((node.low, node.high), f"{{{node.low},{high}}}")
        return f"({_node(grammar, node.item, inside)}){times}"
    raise ValueError("a token terminal is no regular expression")


def _literal(text: str) -> str:
    return "".join(_character(ord(character)) for character in text)


def _character(point: int) -> str:
    character = chr(point)
    if character.isalnum() and point < 128:
        return character
    return f"\\x{{{point:x}}}"
