"""Registers the option --benchmark for every run in this checkout."""

pytest_plugins = ("homellm_edge.bench_plugin",)
