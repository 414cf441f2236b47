"""Compiled kernels where neither the installation nor HOME can be written to."""

import importlib
from pathlib import Path
from types import ModuleType

import pytest

from csbsr_mm.utils.kernels import compiled

numba = pytest.importorskip('numba')


def test_kernels_are_compiled_into_a_temporary_folder(monkeypatch):
    kernels, calls = ModuleType('kernels'), []

    def import_module(name):
        calls.append(name)
        if name == 'numba':
            return numba
        if not Path(numba.config.CACHE_DIR or '/nowhere').is_dir():
            raise RuntimeError("cannot cache function 'f': no locator available for file 'kernels.py'")
        return kernels

    monkeypatch.setattr(numba.config, 'CACHE_DIR', '')
    monkeypatch.setattr(importlib, 'import_module', import_module)
    assert compiled.__wrapped__('package.kernels') is kernels
    assert calls == ['numba', 'package.kernels', 'package.kernels']


def test_other_errors_of_the_kernels_are_not_hidden(monkeypatch):
    def import_module(name):
        if name == 'numba':
            return numba
        raise RuntimeError('broken')

    monkeypatch.setattr(importlib, 'import_module', import_module)
    with pytest.raises(RuntimeError, match='broken'):
        compiled.__wrapped__('package.kernels')
