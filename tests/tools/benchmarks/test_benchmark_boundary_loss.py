"""The benchmark compares what it says it compares."""

import sys

import pytest
import torch
from helpers.tools import load_tool

from csbsr_mm.functional.boundary import boundary_map


@pytest.fixture(scope='module')
def tool():
    return load_tool('benchmarks/benchmark_boundary_loss')


@pytest.fixture
def args(tool, monkeypatch):
    arguments = ['--shape', '2', '2', '48', '64', '--repeats', '2', '--ignored', '0.25']
    monkeypatch.setattr(sys, 'argv', ['benchmark', *arguments])
    return tool.parse_args()


def test_masks_are_as_announced(tool, args):
    for kind in tool.KINDS:
        label = tool.labels(kind, args)
        assert label.shape == (2, 48, 64)
        assert (label == 255).sum() == 2 * 12 * 64
        assert (label == 1).any() == (kind != 'none')


def test_both_forms_of_the_loss_agree(tool, args):
    label = tool.labels('wide', args)
    given, inside = list(tool.losses(label, 2).values())[1:]
    logits = torch.randn(2, 2, 48, 64)
    assert torch.equal(given(logits), inside(logits))
    assert boundary_map(label).any()


def test_prints_a_table(tool, args, capsys):
    threads = torch.get_num_threads()
    tool.main()
    torch.set_num_threads(threads)
    out = capsys.readouterr().out
    assert out.count('BoundaryCombo, maps precomputed') == 4
    assert out.count('1.00') >= 4
