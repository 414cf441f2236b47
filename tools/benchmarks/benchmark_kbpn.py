"""Cost of KBPN and of the blur skip: literal against folded, in one run.

python tools/benchmarks/benchmark_kbpn.py [flops kept forward step accuracy]

Literal and folded networks hold the same weights. Times are the processor time of this process on one core,
medians of runs that alternate between the networks, so that other work on the machine disturbs little and
both alike. Operations are counted without memory (meta device).
"""

from __future__ import annotations

import argparse
import copy
import statistics
import time
from collections.abc import Callable, Iterable
from functools import partial

import torch
from mmengine.logging import print_log
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

import csbsr_mm  # noqa: F401
from csbsr_mm.engine.profiling.saved_tensors import SavedTensors
from csbsr_mm.models.necks import BlurSkipNeck
from csbsr_mm.models.sr import KBPN

ESTIMATED_KERNEL_SIZES = (21, 7)
Row = tuple[str, float, float, str]


def networks(estimated_kernel_size: int) -> tuple[KBPN, KBPN]:
    """A literal and a folded network with the same weights, whose kernels are well conditioned."""
    torch.manual_seed(0)
    literal = KBPN(estimated_kernel_size=estimated_kernel_size, fold=False)
    literal.init_weights()
    folded = KBPN(estimated_kernel_size=estimated_kernel_size)
    with torch.no_grad():
        literal.kernel_predictor.layers[2].conv.weight.abs_()
        for stage in literal.stages:
            stage.kernel_update.joint_convs[2].weight.mul_(0.05)
    folded.load_state_dict(literal.state_dict())
    return literal, folded


@torch.inference_mode()
def forward(network: nn.Module, lr: Tensor) -> None:
    """Forward pass of one batch."""
    network(lr)


def step(network: nn.Module, lr: Tensor) -> None:
    """Forward and backward pass of one batch."""
    network.zero_grad()
    sr_image, blur_kernel = network(lr)
    (sr_image.abs().mean() + blur_kernel.square().mean()).backward()


def alternate(runs: Iterable[Callable[[], object]], repeats: int) -> list[float]:
    """Median processor seconds of each of ``runs``, taken in turns after one warm-up each."""
    runs = list(runs)
    seconds: list[list[float]] = [[] for _ in runs]
    for turn in range(repeats + 1):
        for run, times in zip(runs, seconds, strict=True):
            start = time.process_time()
            run()
            if turn:
                times.append(time.process_time() - start)
    return [statistics.median(times) for times in seconds]


def count_flops(build: Callable[[bool], nn.Module], *shapes: tuple[int, ...]) -> list[float]:
    """Operations of one forward pass, literal and folded."""
    totals = []
    for fold in (False, True):
        with torch.device('meta'):
            network, inputs = build(fold).eval(), [torch.empty(shape) for shape in shapes]
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            network(*inputs)
        totals.append(counter.get_total_flops())
    return totals


def kept_by(network: KBPN, lr: Tensor) -> float:
    """MiB that one forward pass leaves for the backward pass."""
    keeper = SavedTensors(network)
    stages = network.stages if network.checkpoint_stages else ()
    handles = [stage.register_forward_pre_hook(keeper.note_arguments) for stage in stages]
    with torch.autograd.graph.saved_tensors_hooks(keeper, lambda tensor: tensor):
        outputs = network(lr)
    for handle in handles:
        handle.remove()
    assert all(output.requires_grad for output in outputs)
    return keeper.mebibytes()


def largest_stage(network: KBPN, lr: Tensor) -> float:
    """MiB that the largest stage keeps while it is recomputed in the backward pass."""
    keepers: list[SavedTensors] = []

    def start(_stage: nn.Module, _args: tuple) -> None:
        keepers.append(SavedTensors(network))

    handles = [stage.register_forward_pre_hook(start) for stage in network.stages]
    with torch.autograd.graph.saved_tensors_hooks(
        lambda tensor: keepers[-1](tensor) if keepers else tensor, lambda tensor: tensor
    ):
        outputs = network(lr)
    for handle in handles:
        handle.remove()
    assert all(output.requires_grad for output in outputs)
    return max(keeper.mebibytes() for keeper in keepers)


def flops_rows(size: int) -> list[Row]:
    """Operations of KBPN at ``size`` and of the blur skip at four times that."""
    rows = []
    for estimated in ESTIMATED_KERNEL_SIZES:
        literal, folded = count_flops(
            lambda fold, side=estimated: KBPN(estimated_kernel_size=side, fold=fold), (1, 3, size, size)
        )
        rows.append((f'FLOPs, LR {size}x{size}, k_est {estimated}', literal / 1e12, folded / 1e12, 'TFLOP'))
    for sft in ('modified', 'original'):
        literal, folded = count_flops(
            lambda fold, kind=sft: BlurSkipNeck(sft=kind, fold=fold),
            (1, 64, 4 * size, 4 * size),
            (1, 1, 21, 21),
        )
        name = f'FLOPs, blur skip {4 * size}x{4 * size}, {sft} SFT'
        rows.append((name, literal / 1e12, folded / 1e12, 'TFLOP'))
    return rows


def kept_rows(size: int) -> list[Row]:
    """What autograd keeps, without and with checkpointed stages."""
    rows, lr = [], torch.rand(1, 3, size, size)
    for estimated in ESTIMATED_KERNEL_SIZES:
        literal, folded = networks(estimated)
        name = f'kept for backward, LR {size}x{size}, k_est {estimated}'
        reference, kept, stage = kept_by(literal, lr), kept_by(folded, lr), largest_stage(folded, lr)
        folded.checkpoint_stages = True
        checkpointed = kept_by(folded, lr)
        rows += [
            (name, reference, kept, 'MiB'),
            (f'{name}, checkpointed', reference, checkpointed, 'MiB'),
            (
                f'{name}, checkpointed, with the stage being recomputed',
                reference,
                checkpointed + stage,
                'MiB',
            ),
        ]
    return rows


def time_rows(what: str, run: Callable[[nn.Module, Tensor], object], size: int, repeats: int) -> list[Row]:
    """Seconds of ``run`` for the literal network, the folded one, and that in channels_last layout."""
    rows, lr = [], torch.rand(1, 3, size, size)
    for estimated in ESTIMATED_KERNEL_SIZES:
        literal, folded = networks(estimated)
        layout = copy.deepcopy(folded).to(memory_format=torch.channels_last)
        runs = [partial(run, network, lr) for network in (literal, folded, layout)]
        seconds = alternate(runs, repeats)
        name = f'{what}, LR {size}x{size}, k_est {estimated}'
        rows.append((name, seconds[0], seconds[1], 's'))
        rows.append((f'{name}, channels_last', seconds[0], seconds[2], 's'))
    return rows


def floor_line(size: int, repeats: int) -> str:
    """How long the operations that are left would take at the rate of one plain large convolution."""
    conv, maps = nn.Conv2d(128, 128, 3, padding=1), torch.rand(1, 128, 2 * size, 2 * size)
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        conv(maps)
    with torch.inference_mode():
        (seconds,) = alternate([lambda: conv(maps)], repeats)
    rate = counter.get_total_flops() / seconds
    parts = [f'a plain 3x3 convolution runs at {rate / 1e9:.0f} GFLOP/s']
    for estimated in ESTIMATED_KERNEL_SIZES:
        _, folded = count_flops(
            lambda fold, side=estimated: KBPN(estimated_kernel_size=side, fold=fold), (1, 3, size, size)
        )
        parts.append(f'floor of the forward pass, k_est {estimated}: {folded / rate:.2f} s')
    return '; '.join(parts)


def accuracy_lines(size: int) -> list[str]:
    """How far folded and literal networks are from each other and from double precision."""
    lines, lr = [], torch.rand(1, 3, size, size)
    for estimated in ESTIMATED_KERNEL_SIZES:
        pair = networks(estimated)
        (literal, literal_grad), (folded, folded_grad) = (
            _outputs_and_gradients(network, lr) for network in pair
        )
        (exact, exact_grad), (folded64, folded64_grad) = (
            _outputs_and_gradients(network.double(), lr.double()) for network in pair
        )

        def apart(one: Tensor, other: Tensor, scale: Tensor = exact_grad) -> float:
            return ((one - other).norm() / scale.norm()).item()

        lines += [
            f'k_est {estimated}, outputs up to {exact.abs().max():.2g}: folded and literal differ by at '
            f'most {(exact - folded64).abs().max():.1e} in float64, '
            f'{(literal - folded).abs().max():.1e} in float32',
            f'  gradients differ by {apart(folded64_grad, exact_grad):.1e} (relative L2) in float64; in '
            f'float32 the folded ones are {apart(folded_grad, exact_grad):.1e} from float64, the literal '
            f'ones {apart(literal_grad, exact_grad):.1e}',
        ]
    return lines


def _outputs_and_gradients(network: KBPN, lr: Tensor) -> tuple[Tensor, Tensor]:
    with torch.no_grad():
        outputs = torch.cat([output.flatten() for output in network(lr)])
    step(network, lr)
    gradients = torch.cat([parameter.grad.flatten().double() for parameter in network.parameters()])
    network.zero_grad()
    return outputs, gradients


def table(rows: list[Row]) -> str:
    """Rows as a Markdown table."""
    lines = ['| | literal | folded | ratio |', '|---|---|---|---|']
    for name, literal, folded, unit in rows:
        lines.append(f'| {name} | {literal:.4g} {unit} | {folded:.4g} {unit} | {folded / literal:.3f} |')
    return '\n'.join(lines)


def main() -> None:
    """Run the command line."""
    sections = ('flops', 'kept', 'forward', 'step', 'accuracy')
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('sections', nargs='*', default=sections, help=f'any of {", ".join(sections)}')
    parser.add_argument('--flops-size', type=int, default=112, help='side of the LR image, likewise below')
    parser.add_argument('--forward-size', type=int, default=56)
    parser.add_argument('--step-size', type=int, default=32)
    parser.add_argument('--accuracy-size', type=int, default=16)
    parser.add_argument('--repeats', type=int, default=5, help='timed runs of each network')
    args = parser.parse_args()
    torch.set_num_threads(1)
    measure: dict[str, Callable[[], list[Row]]] = dict(
        flops=lambda: flops_rows(args.flops_size),
        kept=lambda: kept_rows(args.step_size),
        forward=lambda: time_rows('forward', forward, args.forward_size, args.repeats),
        step=lambda: time_rows('training step', step, args.step_size, args.repeats),
    )
    rows = [row for section in args.sections if section in measure for row in measure[section]()]
    if rows:
        print_log(table(rows))
    if 'forward' in args.sections:
        print_log(floor_line(args.forward_size, args.repeats))
    if 'accuracy' in args.sections:
        print_log('\n'.join(accuracy_lines(args.accuracy_size)))


if __name__ == '__main__':
    main()
