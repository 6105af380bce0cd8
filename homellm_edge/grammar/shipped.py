"""The grammars that people can read and choose, as they come with the package."""

from __future__ import annotations

from importlib.resources import files

from ..errors import GrammarError

_SUFFIX = ".gbnf"


def shipped_names() -> tuple[str, ...]:
    """Their names, such as `generic`, in alphabetical order."""
    folder = files("homellm_edge") / "grammars"
    names = (item.name for item in folder.iterdir())
    return tuple(sorted(n.removesuffix(_SUFFIX) for n in names if n.endswith(_SUFFIX)))


def shipped_grammar(name: str) -> str:
    """The text of the grammar of that name; raises GrammarError if there is none."""
    names = shipped_names()
    if name not in names:
        raise GrammarError(
            f"there is no grammar {name!r}", f"use one of {', '.join(names)}"
        )
    folder = files("homellm_edge") / "grammars"
    return (folder / f"{name}{_SUFFIX}").read_text(encoding="utf-8")


__all__ = ["shipped_grammar", "shipped_names"]
