"""The distribution, tried from fresh environments by tools/check_wheel.py."""

import pytest
from helpers.tools import load_tool
from helpers.training import run_tool


def test_what_the_base_must_not_bring():
    unwanted = load_tool('check_wheel').UNWANTED
    for name in ('onedl-mmcv', 'mmengine', 'opencv-python', 'matplotlib', 'tensorboard', 'rich', 'onnx'):
        assert unwanted.match(name)
    assert not any(unwanted.match(name) for name in ('torch', 'numpy', 'scipy', 'numba', 'csbsr-mm'))


@pytest.mark.slow
def test_the_distribution_works():
    """Builds, and installs into three environments: minutes, and what pip has not cached is downloaded."""
    done = run_tool('check_wheel.py', timeout=3600)
    assert done.stdout.endswith('The distribution works.\n')
