"""A voice-assistant brain that runs inside Home Assistant on a Raspberry Pi."""

__version__ = "0.1.0"
