"""Boots a real Home Assistant with the component, demo home and default model."""
