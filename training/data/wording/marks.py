"""Words in all their forms, until the sentence around them tells which one is right.

A mark is a run of characters of a private range in the sentence: the gender and the
forms of a mention by case, or the forms of a word that agrees with it. Makers move the
marks about like any other text; `settled` resolves them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

GENDERS = "mfnpq"
"""Masculine, feminine, neuter; the plural of masculines (or of all), of feminines."""

_NAMED, _AGREEING, _NEXT, _END = "\ue000", "\ue001", "\ue002", "\ue003"
_MARK = re.compile(f"([{_NAMED}{_AGREEING}])([^{_END}]*){_END}")

ChooseCase = Callable[[str, str], int]
"""(what stands before, what stands behind) -> number of the case."""


def named(gender: str, forms: Sequence[str]) -> str:
    """A mention in its cases."""
    return f"{_NAMED}{_NEXT.join((gender, *forms))}{_END}"


def agreeing(forms: Sequence[str]) -> str:
    """A word in the forms of GENDERS."""
    return f"{_AGREEING}{_NEXT.join(forms)}{_END}"


def settled(text: str, case: ChooseCase) -> str:
    """The text with every mark resolved."""
    if _END not in text:
        return text
    found = list(_MARK.finditer(text))
    genders = [(m.start(), m[2][0]) for m in found if m[1] == _NAMED]
    out, at = "", 0
    for mark in found:
        out += text[at : mark.start()]
        at = mark.end()
        forms = mark[2].split(_NEXT)
        if mark[1] == _NAMED:
            behind = _MARK.sub(_first_form, text[at:])
            out += forms[1:][case(out.rstrip(), behind.lstrip())]
        else:
            before = [g for where, g in genders if where < mark.start()]
            gender = (before[-1:] or [g for _, g in genders[:1]] or ["m"])[0]
            out += forms[GENDERS.index(gender)]
    return out + text[at:]


def _first_form(mark: re.Match[str]) -> str:
    return mark[2].split(_NEXT)[mark[1] == _NAMED]


def first_gender(text: str) -> str:
    """The gender of the first mention; empty if there is none."""
    found = re.search(f"{_NAMED}(.)", text)
    return found[1] if found else ""
