"""Prints the requirements of the Home Assistant integrations that a run needs.

Run with the python of an environment that holds Home Assistant: its own manifests say
what `hass` would otherwise fetch while it boots.
"""

import importlib.util
import json
from pathlib import Path

INTEGRATIONS = (
    "ai_task",
    "assist_pipeline",
    "calendar",
    "config",
    "conversation",
    "diagnostics",
    "frontend",
    "hassio",
    "history",
    "infrared",
    "llm",
    "logbook",
    "radio_frequency",
    "recorder",
    "repairs",
    "system_health",
    "todo",
)

ALSO = ("numpy",)
"""In Home Assistant's own container for other integrations; the library needs it."""


def requirements(components: Path, integrations: tuple[str, ...]) -> set[str]:
    """Requirements of the integrations and of all that they depend on."""
    found: set[str] = set()
    seen: set[str] = set()
    waiting = list(integrations)
    while waiting:
        domain = waiting.pop()
        path = components / domain / "manifest.json"
        if domain in seen or not path.exists():
            continue
        seen.add(domain)
        manifest = json.loads(path.read_text(encoding="utf-8"))
        waiting += manifest.get("dependencies", [])
        found |= set(manifest.get("requirements", []))
    return found


def main() -> None:
    """Print them, one a line, in alphabetical order."""
    spec = importlib.util.find_spec("homeassistant")
    if spec is None or spec.origin is None:
        raise SystemExit("ha_requirements: run this in Home Assistant's environment")
    components = Path(spec.origin).parent / "components"
    print("\n".join(sorted({*ALSO, *requirements(components, INTEGRATIONS)})))


if __name__ == "__main__":
    main()
