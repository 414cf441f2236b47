"""The benchmarks of metrics, distance maps and widths run, and the maps they use are what they say."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

TOOLS = Path(__file__).parents[3] / 'tools' / 'benchmarks'


def run(tool, *arguments):
    command = [sys.executable, '-W', 'ignore', str(TOOLS / tool), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_distance_benchmark():
    output = run('benchmark_distance.py', '--size', '64', '--masks', '2', '--turns', '1')
    assert 'signed distance' in output


def test_metric_benchmark():
    pytest.importorskip('surface_distance')
    output = run(
        'benchmark_metrics.py',
        *('--size', '64', '--images', '1', '--turns', '1', '--regimes', 'sharp', '--skip-first-call'),
        *('--set-size', '5'),
    )
    assert 'loop over surface-distance' in output
    assert '5 images of 64x64' in output


def test_width_benchmark():
    output = run('benchmark_widths.py', '--widths', '3', '--angles', '2', '--side', '64', '--skip-costs')
    assert 'missed in 0 of 3 rows' in ' '.join(output.split())


def test_realistic_maps(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))
    from realistic_maps import REGIMES, realistic_map

    shares = {}
    for regime in REGIMES:
        prob, mask = realistic_map(np.random.default_rng(3), regime, 256)
        again, _ = realistic_map(np.random.default_rng(3), regime, 256)
        np.testing.assert_array_equal(prob, again)
        assert prob.dtype == np.float32
        assert prob.min() >= 0
        assert prob.max() <= 1
        assert mask.any() == (regime != 'nocrack')
        shares[regime] = (prob > 0.01).mean()
    assert shares['noisy'] > 0.5
    assert max(shares['sharp'], shares['nocrack']) < 0.2
