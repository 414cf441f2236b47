"""Lazy access to the compiled kernels: Numba stays optional and costs nothing until used."""

import importlib
from functools import cache
from types import ModuleType


@cache
def numba_kernels(name: str) -> ModuleType | None:
    """The module ``csbsr_mm.functional.NAME`` of compiled kernels, or None where Numba is not installed."""
    try:
        importlib.import_module('numba')
    except ImportError:
        return None
    return importlib.import_module(f'{__package__}.{name}')
