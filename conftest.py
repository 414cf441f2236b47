"""Imports the package before pytest looks for doctests: a file of it would be imported twice otherwise."""

import csbsr_mm  # noqa: F401
