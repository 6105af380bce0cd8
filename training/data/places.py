"""Where somebody may be, and where the devices of a domain are."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .scene import Scene


def has_domain(scene: Scene, place: str, domain: str) -> bool:
    """Whether a place has entities of a domain."""
    return any(e.domain == domain for e in scene.home.members(place))


def somewhere(scene: Scene, chance: float, domain: str | None = None) -> str | None:
    """The area of the speaker, sometimes unknown."""
    if scene.rng.random() >= chance:
        return None
    areas = [
        a.id
        for a in scene.home.areas
        if scene.home.members(a.id)
        and (domain is None or has_domain(scene, a.id, domain))
    ]
    return scene.rng.choice(areas) if areas else None
