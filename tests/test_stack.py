"""The start-up check: each state of an environment gets one clear answer."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from csbsr_mm import _stack

ROOT = Path(__file__).parents[1]


@pytest.fixture
def environment(monkeypatch):
    """Pretend that certain distributions and modules are installed."""

    def pretend(distributions=(), modules=()):
        monkeypatch.setattr(_stack, '_is_distribution', lambda name: name in distributions)
        monkeypatch.setattr(
            _stack.importlib.util, 'find_spec', lambda name: object() if name in modules else None
        )

    return pretend


def test_nothing_installed_leaves_the_functional_part(environment):
    environment()
    assert _stack.prepare_stack() is False


def test_both_stacks_are_refused(environment):
    environment(['onedl-mmengine', 'mmsegmentation'], _stack.IMPORT_NAMES)
    with pytest.raises(ImportError, match=r'onedl-mmengine and mmsegmentation .* side by side'):
        _stack.prepare_stack()


def test_missing_part_is_named(environment):
    environment(['onedl-mmengine', 'onedl-mmsegmentation'], ['mmengine', 'mmseg'])
    with pytest.raises(ImportError, match=r'mmengine, mmseg can be imported but mmcv cannot'):
        _stack.prepare_stack()


def test_mmengine_and_mmcv_of_another_project_leave_the_functional_part(environment):
    environment(['mmengine', 'mmcv'], ['mmengine', 'mmcv'])
    assert _stack.prepare_stack() is False


def run(code: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', textwrap.dedent(code)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )


def test_functional_needs_no_mm():
    result = run("""
        import importlib.abc, importlib.util, sys

        class Absent(importlib.abc.MetaPathFinder):
            def find_spec(self, name, path=None, target=None):
                if name.split('.')[0] in ('mmengine', 'mmcv', 'mmseg'):
                    raise ModuleNotFoundError(f'No module named {name!r}', name=name)

        find_spec = importlib.util.find_spec
        names = ('mmengine', 'mmcv', 'mmseg')
        importlib.util.find_spec = lambda n, p=None: None if n in names else find_spec(n, p)
        sys.meta_path.insert(0, Absent())
        import numpy as np
        import csbsr_mm
        from csbsr_mm.functional import surface
        assert not csbsr_mm.has_mmseg
        mask = np.eye(8, dtype=bool)
        print(surface.robust_hausdorff(mask, mask))
    """)
    assert result.stdout.strip() == '0.0', result.stderr


def test_broken_stack_is_one_import_error():
    result = run("""
        import sys
        sys.modules['mmseg.version'] = None
        sys.modules.pop('mmseg', None)
        import csbsr_mm
    """)
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith('ImportError: csbsr_mm: the installed MMSegmentation stack (')
    assert 'docs/installation.md' in last


def test_opencv_without_graphics_libraries_has_its_own_remedy(monkeypatch):
    def broken(*modules):
        raise ImportError('libGL.so.1: cannot open shared object file')

    monkeypatch.setattr(_stack, '_import_quietly', broken)
    with pytest.raises(ImportError, match=r'libGL.*no graphics libraries.*opencv-python-headless'):
        _stack.prepare_stack()


def test_bases_of_mmsegmentation_are_found():
    """``mmseg::`` in ``_base_`` works although onedl's distribution has another name."""
    from mmengine.config import Config

    config = Config.fromstring("_base_ = ['mmseg::_base_/models/segformer_mit-b0.py']", file_format='.py')
    assert config.model.decode_head.type == 'SegformerHead'
