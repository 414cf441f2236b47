"""What the benchmark counts without a clock: operations, and bytes kept for the backward pass."""

import pytest
import torch
from helpers.tools import load_tool

from csbsr_mm.models.sr import KBPN


@pytest.fixture(scope='module')
def tool():
    return load_tool('benchmarks/benchmark_kbpn')


def test_operations(tool) -> None:
    """TFLOP of the full networks from 112x112 to 448x448, literal and folded."""
    expected = [(7.733, 1.470), (2.008, 1.220), (4.182, 0.964), (3.248, 0.030)]
    for (name, literal, folded, _), figures in zip(tool.flops_rows(112), expected, strict=True):
        assert (literal, folded) == pytest.approx(figures, abs=6e-4), name


def test_kept_bytes(tool) -> None:
    options = dict(num_stages=4, channels=16, kernel_size=9, estimated_kernel_size=5)
    literal, folded = KBPN(fold=False, **options), KBPN(**options)
    lr = torch.rand(1, 3, 8, 8)
    kept = tool.kept_by(literal, lr), tool.kept_by(folded, lr)
    stage = tool.largest_stage(folded, lr)
    folded.checkpoint_stages = True
    checkpointed = tool.kept_by(folded, lr)
    assert checkpointed < stage < kept[1] < kept[0]
    # The SR features of four stages, 16 channels at 32x32 in single precision, are kept in any case.
    assert checkpointed >= 4 * 16 * 32 * 32 * 4 / 2**20


def test_kept_bytes_of_one_convolution(tool) -> None:
    """A convolution keeps its input; its weight is the network's own."""

    class Network(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.stages, self.checkpoint_stages = torch.nn.Conv2d(3, 5, 3), (), False

        def forward(self, lr: torch.Tensor) -> tuple[torch.Tensor]:
            return (self.conv(lr),)

    assert tool.kept_by(Network(), torch.rand(1, 3, 64, 64)) == pytest.approx(3 * 64 * 64 * 4 / 2**20)
