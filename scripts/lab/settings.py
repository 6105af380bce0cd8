"""Writes a Home Assistant configuration folder that boots by itself."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

CONFIGURATION = """\
homeassistant:
  name: Demo Home
  country: DE
  language: en
  time_zone: Europe/Berlin
  latitude: 50.0
  longitude: 8.0
  elevation: 100
  unit_system: metric
  currency: EUR
frontend:
config:
history:
logbook:
conversation:
assist_pipeline:
system_health:
logger:
  default: warning
  logs:
    homellm_edge: info
    custom_components.homellm_edge: info
"""

DEMO_HOME = """\
homellm_demo:
  home: {home}
"""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where Home Assistant lives, what goes into it and where it listens.

    `home` is the demo home's file, None for none; `extra` more of the configuration.
    """

    folder: Path
    home: Path | None
    components: tuple[Path, ...]
    host: str
    port: int
    extra: str = ""

    @property
    def url(self) -> str:
        """The address for a browser on this machine."""
        host = "127.0.0.1" if self.host == "0.0.0.0" else self.host  # noqa: S104
        return f"http://{host}:{self.port}"

    @property
    def log(self) -> Path:
        """What `hass` writes."""
        return self.folder / "hass.log"


def write_settings(settings: Settings) -> None:
    """Make or renew the folder; what Home Assistant itself stored in it stays."""
    storage = settings.folder / ".storage"
    storage.mkdir(parents=True, exist_ok=True)
    (settings.folder / "configuration.yaml").write_text(
        CONFIGURATION + _demo_home(settings) + settings.extra, encoding="utf-8"
    )
    for component in settings.components:
        target = settings.folder / "custom_components" / component.name
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(component, target, ignore=shutil.ignore_patterns("__pycache__"))
    # The later onboarding steps set up integrations that need the internet.
    onboarding = storage / "onboarding"
    if not onboarding.exists():
        _store(
            onboarding,
            version=4,
            data={"done": ["core_config", "analytics", "integration"]},
        )
    # HTTP settings in YAML count as unconfirmed: after five minutes Home Assistant
    # would go back to its default port and restart. Stored as stable they are used.
    _store(
        storage / "http",
        version=3,
        data={
            "pending": None,
            "yaml_migration_done": True,
            "stable": {
                "server_port": settings.port,
                "server_host": [settings.host],
                "cors_allowed_origins": [],
                "login_attempts_threshold": -1,
                "ip_ban_enabled": True,
                "ssl_profile": "intermediate_v6",
                "use_x_frame_options": True,
                "created_at": "2026-01-01T00:00:00+00:00",
                "error": None,
                "error_message": None,
            },
        },
    )


def _demo_home(settings: Settings) -> str:
    if settings.home is None:
        return ""
    home = settings.folder / "demo_home.yaml"
    shutil.copyfile(settings.home, home)
    return DEMO_HOME.format(home=json.dumps(str(home)))


def _store(path: Path, *, version: int, data: object) -> None:
    content = {"version": version, "minor_version": 1, "key": path.name, "data": data}
    path.write_text(json.dumps(content), encoding="utf-8")
