"""Imports the package before pytest looks for doctests: a file of it would be imported twice otherwise."""

import csbsr_mm  # noqa: F401

# Importing this one changes MMEngine's registries for every other test.
collect_ignore = ['csbsr_mm/everywhere.py']
