"""A loss, a hook and metrics of csbsr_mm in a codebase that has its own default scope."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def train(way: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, '-W', 'ignore', 'tests/helpers/other_scope.py', way],
        cwd=ROOT,
        env=os.environ | {'PYTHONPATH': str(ROOT), 'CUDA_VISIBLE_DEVICES': '-1'},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize('way', ['prefixed', 'everywhere'])
def test_trains_and_measures_in_another_scope(way):
    done = train(way)
    assert done.returncode == 0, done.stderr[-2000:]
    last = done.stdout.splitlines()[-1]
    # The hook has raised the weight of the boundary term once.
    assert last.startswith('alpha 0.0099999')
    assert all(f"'{name}'" in last for name in ('AIU', 'HD95_min'))


def test_plain_names_need_the_one_line():
    assert 'BoundaryComboLoss is not in the otherlab::model registry' in train('alone').stderr


def test_sharing_takes_no_name_and_can_be_repeated():
    """What the root has stays; everything that is ours is found there afterwards."""
    code = """
import mmengine.registry as root
before = {name: dict(r.module_dict) for name, r in vars(root).items() if isinstance(r, root.Registry)}
import csbsr_mm.everywhere as everywhere
for name, modules in before.items():
    assert modules.items() <= getattr(root, name).module_dict.items()
assert everywhere.share() == everywhere.SHARED
assert {'BoundaryComboLoss', 'KBPN', 'BlindSRSegmentor'} <= set(everywhere.SHARED['model'])
assert {'AIUMetric', 'HD95Metric', 'SRQualityMetric'} <= set(everywhere.SHARED['metric'])
assert 'BoundaryRebalanceHook' in everywhere.SHARED['hook']
"""
    done = subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', code], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
