"""Measure everything that needs a GPU, in the order of its value, within a time limit.

python tools/gpu_report.py [--minutes 25] [--out gpu_report] [--rehearse]

Each part is a command of its own with a log and a time limit. ``report.json`` and ``report.md`` are written
after each part, so that a run that is cut off leaves what it has. A part that is done is skipped when the
command is repeated with the same ``--out``. ``--rehearse`` runs all parts on the CPU at toy size.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PSPNET = 'configs/csbsr/kbpn_pspnet_khanhha.py'
OCR = 'configs/csbsr/kbpn_ocr_khanhha.py'
QUICKSTART = 'configs/csbsr/quickstart.py'
GRACE_SECONDS = 20  # for a training to store a checkpoint


@dataclass
class Part:
    """One measurement.

    Attributes:
        name: Also that of its files.
        command: Arguments of Python.
        share: Largest share of the whole time that it may take.
    """

    name: str
    command: list[str]
    share: float


@dataclass
class Outcome:
    """How a part ended: ``done``, ``failed`` or ``cut off``."""

    name: str
    status: str
    seconds: float
    command: str


def full_parts(out: Path, data_root: str | None) -> list[Part]:
    """What a GPU is for, most valuable first."""
    step = 'tools/benchmarks/benchmark_training_step.py'
    checkpointed = ['--cfg-options', 'model.sr.checkpoint_stages=True']
    photos = [] if data_root is None else [f'data_root={data_root}']
    config = PSPNET if data_root else QUICKSTART
    train = ['tools/train.py', config, '--work-dir', f'{out}/training', '--resume', '--amp']
    options = ['--cfg-options', 'optim_wrapper.dtype=bfloat16', *photos]
    return [
        Part('environment', ['-m', 'torch.utils.collect_env'], 0.05),
        Part('cuda_tests', ['-m', 'pytest', '-q', '-m', 'cuda', 'tests/cuda'], 0.2),
        Part('step_pspnet', [step, PSPNET, '--json', f'{out}/step_pspnet.json'], 0.25),
        Part(
            'step_pspnet_checkpointed',
            [
                step,
                PSPNET,
                '--variants',
                'plain',
                'bfloat16',
                '--json',
                f'{out}/step_checkpointed.json',
                *checkpointed,
            ],
            0.1,
        ),
        Part(
            'step_ocr', [step, OCR, '--variants', 'plain', 'bfloat16', '--json', f'{out}/step_ocr.json'], 0.1
        ),
        Part('sweep', ['tools/benchmarks/benchmark_device_sweep.py', '--json', f'{out}/sweep.json'], 0.05),
        Part('distance', ['tools/benchmarks/benchmark_distance.py', '--device', 'cuda'], 0.05),
        Part('loss', ['tools/benchmarks/benchmark_boundary_loss.py', '--device', 'cuda'], 0.05),
        Part('training', [*train, *options], 0.9),
    ]


def rehearsal_parts(out: Path) -> list[Part]:
    """The same commands at toy size on the CPU."""
    step = 'tools/benchmarks/benchmark_training_step.py'
    device_sweep, loss = (
        f'tools/benchmarks/benchmark_{name}.py' for name in ('device_sweep', 'boundary_loss')
    )
    toy = ['--device', 'cpu', '--batch-size', '1', '--size', '64', '--steps', '1', '--variants', 'plain']
    iterations = ['train_cfg.max_iters=2', 'train_cfg.val_interval=2', 'train_dataloader.num_workers=0']
    iterations.append('train_dataloader.persistent_workers=False')
    train = ['tools/train.py', QUICKSTART, '--work-dir', f'{out}/training', '--resume', '--cfg-options']
    return [
        Part('environment', ['-m', 'torch.utils.collect_env'], 0.2),
        Part('cuda_tests', ['-m', 'pytest', '-q', '-m', 'cuda', 'tests/cuda/test_functional.py'], 0.5),
        Part('step_pspnet', [step, QUICKSTART, *toy, '--json', f'{out}/step_pspnet.json'], 0.5),
        Part(
            'sweep',
            shlex.split(f'{device_sweep} --device cpu --batch 2 --size 64 --turns 1 --json {out}/sweep.json'),
            0.3,
        ),
        Part(
            'distance',
            shlex.split('tools/benchmarks/benchmark_distance.py --size 64 --masks 1 --turns 1'),
            0.3,
        ),
        Part('loss', shlex.split(f'{loss} --shape 1 2 64 64 --repeats 1 --kinds thin'), 0.3),
        Part('data', ['tools/dataset_converters/render_crack_demo.py', 'data/crack_demo'], 0.5),
        Part('training', [*train, *iterations], 0.9),
    ]


def run_part(part: Part, out: Path, limit: float, device: str) -> Outcome:
    """Run a part with its output in ``OUT/NAME.log``; end it in a friendly way when its time is up."""
    command = [sys.executable, *part.command]
    environment = {**os.environ, 'CSBSR_TEST_DEVICE': device}
    environment['PYTHONPATH'] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get('PYTHONPATH')]))
    start = time.monotonic()
    with open(out / f'{part.name}.log', 'w', encoding='utf-8') as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            status = 'failed' if process.wait(limit) else 'done'
        except subprocess.TimeoutExpired:
            status = 'cut off'
            _end(process)
        except KeyboardInterrupt:
            _end(process)
            raise
    return Outcome(part.name, status, round(time.monotonic() - start, 1), ' '.join(part.command))


def _end(process: subprocess.Popen) -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def write_report(out: Path, outcomes: list[Outcome]) -> None:
    """Write what is known so far: ``report.json``, and ``report.md`` with each part's last lines."""
    (out / 'report.json').write_text(
        json.dumps([asdict(outcome) for outcome in outcomes], indent=1) + '\n', encoding='utf-8'
    )
    lines = ['# GPU report', '', '| part | outcome | seconds |', '|---|---|---|']
    lines += [f'| {outcome.name} | {outcome.status} | {outcome.seconds:g} |' for outcome in outcomes]
    for outcome in outcomes:
        text = (out / f'{outcome.name}.log').read_text(encoding='utf-8', errors='replace')
        lines += ['', f'## {outcome.name}', '', f'`python {outcome.command}`', '', '```text']
        lines += [*text.splitlines()[-40:], '```']
    (out / 'report.md').write_text('\n'.join(lines) + '\n', encoding='utf-8')


def finished_parts(out: Path) -> list[Outcome]:
    """Parts that an earlier run with the same folder has completed."""
    path = out / 'report.json'
    if not path.exists():
        return []
    return [
        outcome
        for outcome in (Outcome(**row) for row in json.loads(path.read_text(encoding='utf-8')))
        if outcome.status == 'done'
    ]


def parse_args(argv: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--minutes', type=float, default=25, help='time for everything (25)')
    parser.add_argument(
        '--out', type=Path, default=Path('gpu_report'), help='folder of the results (gpu_report)'
    )
    parser.add_argument('--data-root', help='crack photos to train on; rendered ones by default')
    parser.add_argument('--parts', nargs='+', help='only these parts')
    parser.add_argument('--rehearse', action='store_true', help='everything on the CPU at toy size')
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Run all parts; returns 0 if none failed."""
    args = parse_args(sys.argv[1:] if argv is None else argv)
    out = args.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    parts = rehearsal_parts(out) if args.rehearse else full_parts(out, args.data_root)
    names = [part.name for part in parts]
    unknown = set(args.parts or ()) - set(names)
    if unknown:
        print(f'error: no part {", ".join(sorted(unknown))}; there are {", ".join(names)}', file=sys.stderr)
        return 2
    outcomes = finished_parts(out)
    end = time.monotonic() + 60 * args.minutes
    for part in parts:
        if (args.parts and part.name not in args.parts) or any(o.name == part.name for o in outcomes):
            continue
        limit = min(part.share * 60 * args.minutes, end - time.monotonic())
        if limit <= 0:
            break
        print(f'{part.name} (at most {limit:.0f} s) ...', flush=True)
        outcomes.append(run_part(part, out, limit, 'cpu' if args.rehearse else 'cuda'))
        print(f'  {outcomes[-1].status} after {outcomes[-1].seconds:g} s', flush=True)
        write_report(out, outcomes)
    failed = [outcome.name for outcome in outcomes if outcome.status == 'failed']
    print(f'Report: {out / "report.md"}' + (f'; failed: {", ".join(failed)}' if failed else ''))
    return int(bool(failed))


if __name__ == '__main__':
    sys.exit(main())
