"""Engines on tiny models, and an oracle beside them."""

from engine_fixtures import engine, load, mamba_oracle, oracle

__all__ = ["engine", "load", "mamba_oracle", "oracle"]
