"""Lazy access to compiled kernels: Numba stays optional and costs nothing until used."""

import atexit
import importlib
import shutil
import tempfile
from functools import cache
from types import ModuleType


@cache
def compiled(module: str) -> ModuleType | None:
    """A module of compiled kernels, or None where Numba is not installed.

    Args:
        module: Its whole name.
    """
    try:
        importlib.import_module('numba')
    except ImportError:
        return None
    try:
        return importlib.import_module(module)
    except RuntimeError as error:
        if 'cannot cache' not in str(error):
            raise
        # Neither the installation nor HOME can be written to: compile into a folder of this process.
        from numba import config

        folder = tempfile.mkdtemp(prefix='csbsr_mm-numba-')
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        config.CACHE_DIR = folder  # type: ignore[attr-defined]
        return importlib.import_module(module)
