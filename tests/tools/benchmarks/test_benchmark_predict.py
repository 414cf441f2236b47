"""The benchmark of prediction at toy size: every figure is there, and differences are of rounding."""

import json

import pytest
from helpers.tools import load_tool

tool = load_tool('benchmarks/benchmark_predict')
TOY = ['--size', '24', '--tile', '16', '--turns', '1']


def test_figures_by_stage_and_variant(tmp_path, capsys):
    report = tmp_path / 'report.json'
    assert tool.main([*TOY, '--variants', 'float32', 'contiguous', '--json', str(report)]) == 0
    rows = {row['variant']: row for row in json.loads(report.read_text())['variants']}
    assert set(rows) == {'float32', 'contiguous'}
    for row in rows.values():
        assert set(row['stages']) == set(tool.STAGES) - {'whole_model'}
        assert row['seconds'] == pytest.approx(sum(row['stages'].values()))
        assert row['megapixels_per_minute'] == pytest.approx(60 * 24 * 24 / 1e6 / row['seconds'], rel=0.1)
    assert rows['contiguous']['compared_with'] == 'float32'
    assert rows['contiguous']['largest_difference'] < 1e-3
    assert rows['contiguous']['mask_iou'] > 0.99
    said = capsys.readouterr().out
    assert 'share of the time' in said


def test_bfloat16_is_left_out_where_the_cpu_has_none(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(tool, 'has_bfloat16', lambda: False)
    report = tmp_path / 'report.json'
    words = ['--size', '16', '--tile', '16', '--variants', 'float32', 'bfloat16', '--turns', '1']
    assert tool.main([*words, '--json', str(report)]) == 0
    assert [row['variant'] for row in json.loads(report.read_text())['variants']] == ['float32']
    assert 'bfloat16 is left out' in capsys.readouterr().err


def test_unknown_weights_are_an_error(capsys):
    assert tool.main([*TOY, '--weights', 'nothing-like-it']) == 1
    assert capsys.readouterr().err.startswith('error: ')
