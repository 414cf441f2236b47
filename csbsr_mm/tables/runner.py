"""Train and test the runs of a table, each in a folder of its own; what is finished is not done again."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout  # comes with torch
from mmengine.config import Config

from csbsr_mm.config_library import config_root
from csbsr_mm.engine.config import load_config, newest_checkpoint
from csbsr_mm.utils.atomic_file import write_atomically

from .paper import Run
from .variants import apply

CONFIGS = config_root() / 'csbsr'
# What decides a run's result; the rest of a config (logging, saving) may change at any time.
DECISIVE = (
    'model',
    'train_dataloader',
    'test_dataloader',
    'train_cfg',
    'optim_wrapper',
    'param_scheduler',
    'custom_hooks',
    'schedules',
    'global_batch_size',
    'randomness',
)
# Of the default hooks, those that decide.
SCHEDULES = ('training_stage', 'boundary_rebalance', 'task_weight')
# Of a data loader; workers and how they send their batches are left out.
DECISIVE_OF_DATA = ('dataset', 'sampler', 'batch_size')
# Where a metric's values of each image and its curve go, and what else a table asks of it.
EVALUATORS = {
    'AIUMetric': dict(per_image_csv='iou.csv', curve_csv='curves/iou.csv'),
    'HD95Metric': dict(per_image_csv='hausdorff.csv', curve_csv='curves/hausdorff.csv', percentile='[95,50]'),
    'SRQualityMetric': dict(per_image_csv='sr.csv'),
}
ITERATION = re.compile(r'Iter\((?:train|test)\)\s*\[\s*(\d+)/(\d+)\]')

Progress = Callable[[int, int], None]


class RunFailed(RuntimeError):
    """A training or a test ended with an error."""


class TableRunner:
    """Carries out runs in ``ROOT/NAME/seedN``.

    A training that was interrupted goes on from its newest checkpoint; one that is finished is not
    repeated, and neither is a test whose ``metrics.json`` is there. A folder whose run was made with other
    settings is refused.

    Args:
        root: Folder of all runs of a scale.
        gpus: Processes of a training, one a GPU; 1 starts no launcher.
        data_root: Folder of the crack photos in place of the configs'.
        given: Checkpoints to take in place of runs that others start from, by the run's name.
        trust: Read checkpoints that could run code.
    """

    def __init__(
        self,
        root: Path,
        gpus: int = 1,
        data_root: str | None = None,
        given: Mapping[str, Path] | None = None,
        trust: bool = False,
    ) -> None:
        self.root, self.gpus, self.data_root, self.trust = root, gpus, data_root, trust
        self.given = dict(given or {})

    def folder(self, run: Run, seed: int) -> Path:
        """Where a run keeps everything."""
        return self.root / run.name / f'seed{seed}'

    def is_tested(self, run: Run, seed: int) -> bool:
        """Whether a run's metrics are there."""
        return (self.folder(run, seed) / 'metrics.json').is_file()

    def checkpoint(self, run: Run, seed: int) -> Path | None:
        """The last checkpoint of a finished training, or the one that was given instead; None before."""
        if run.name in self.given:
            return self.given[run.name]
        newest = newest_checkpoint(str(self.folder(run, seed)))
        finished = newest is not None and newest.stem == f'iter_{self.config(run, seed).train_cfg.max_iters}'
        return newest if finished else None

    def config(self, run: Run, seed: int) -> Config:
        """The config of a run, with all its options."""
        return load_config(str(self._source(run, seed)), self.options(run, seed), str(self.folder(run, seed)))

    def _source(self, run: Run, seed: int) -> Path:
        """The config file of a run: that of its row or, of a variant, one written into its folder."""
        source = CONFIGS / run.config
        if not run.variants:
            return source
        config = Config.fromfile(source)
        apply(config, run.variants)
        written = self.folder(run, seed) / f'{source.stem}.py'
        written.parent.mkdir(parents=True, exist_ok=True)
        config.dump(written)
        return written

    def options(self, run: Run, seed: int) -> dict[str, Any]:
        """What stands after ``--cfg-options`` in training and test."""
        options = {**run.options, 'randomness.seed': seed}
        if self.data_root is not None and _shows_cracks(run):
            options['data_root'] = self.data_root
        return options

    def train(self, run: Run, seed: int, progress: Progress) -> Path:
        """Train a run whose start, if it has one, is trained; returns its checkpoint."""
        finished = self.checkpoint(run, seed)
        if finished is not None:
            return finished
        folder = self.folder(run, seed)
        self._claim(run, seed)
        options = self.options(run, seed)
        if run.start is not None:
            options['load_from'] = self.checkpoint(run.start, seed)
        command = [*self._launcher('train'), str(self._source(run, seed))]
        command += ['--work-dir', str(folder), '--resume', *self._trust(), *_cfg_options(options)]
        _call(command, folder / 'train.log', progress)
        checkpoint = self.checkpoint(run, seed)
        if checkpoint is None:
            raise RunFailed(f'{folder} holds no final checkpoint after training; see {folder / "train.log"}')
        return checkpoint

    def test(self, run: Run, seed: int, progress: Progress) -> dict[str, float]:
        """Test a trained run; returns its metrics."""
        self._claim(run, seed)
        folder = self.folder(run, seed)
        if not self.is_tested(run, seed):
            options = self.options(run, seed)
            for index, evaluator in enumerate(self.config(run, seed).test_evaluator):
                for key, value in EVALUATORS.get(evaluator.type, {}).items():
                    shown = folder / value if key.endswith('_csv') else value
                    options[f'test_evaluator.{index}.{key}'] = shown
            (folder / 'curves').mkdir(exist_ok=True)
            command = [*self._launcher('test'), str(self._source(run, seed))]
            command += [str(self.checkpoint(run, seed))]
            command += ['--work-dir', str(folder / 'test'), '--json', str(folder / 'metrics.json')]
            _call([*command, *self._trust(), *_cfg_options(options)], folder / 'test.log', progress)
        return self.metrics(run, seed)

    def metrics(self, run: Run, seed: int) -> dict[str, float]:
        """Metrics of a tested run."""
        metrics = json.loads((self.folder(run, seed) / 'metrics.json').read_text(encoding='utf-8'))['metrics']
        return {name: float(value) for name, value in metrics.items()}

    def _claim(self, run: Run, seed: int) -> None:
        """Note what decides a run's result before it begins, and refuse a folder where that was different."""
        note = self.folder(run, seed) / 'run.json'
        settings = _decisive(self.config(run, seed).to_dict())
        start = None if run.start is None else run.start.name
        record = dict(config=run.config, options=dict(run.options), seed=seed, start=start, settings=settings)
        if note.is_file():
            was, now = _flat(json.loads(note.read_text(encoding='utf-8'))), _flat(record)
            changed = [key for key in was | now if was.get(key) != now.get(key)]
            if changed:
                key = changed[0]
                raise RunFailed(
                    f'{note.parent} was made with {key}={was.get(key)}, not {now.get(key)}; delete that '
                    f'folder to run it again, or choose another --work-dir'
                )
            return
        write_atomically(note, (json.dumps(record, indent=1, ensure_ascii=False) + '\n').encode())

    def _launcher(self, name: str) -> list[str]:
        """``csbsr NAME``, in one process or in one a GPU."""
        if self.gpus == 1:
            return [sys.executable, '-m', 'csbsr_mm', name]
        port = os.environ.get('PORT', '29500')
        launch = ['torch.distributed.run', f'--nproc_per_node={self.gpus}', f'--master_port={port}']
        return [sys.executable, '-m', *launch, '-m', 'csbsr_mm', name, '--launcher', 'pytorch']

    def _trust(self) -> list[str]:
        return ['--trust-checkpoint'] if self.trust else []


def _call(command: list[str], log: Path, progress: Progress) -> None:
    """Run a command, its output going to a log; the child ends with this process, however that ends."""
    with _alone(log.parent), log.open('a', encoding='utf-8') as file:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding='utf-8', errors='replace'
        )
        try:
            for line in process.stdout:
                file.write(line)
                file.flush()
                if found := ITERATION.search(line):
                    progress(int(found[1]), int(found[2]))
            status = process.wait()
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
    if status:
        last = log.read_text(encoding='utf-8').strip().splitlines()[-1:]
        raise RunFailed(f'the run ended with status {status}: {"".join(last)}; see {log}')


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep a second command from making the same run; the lock ends with this process at the latest."""
    try:
        with FileLock(folder / 'lock', timeout=0):
            yield
    except Timeout:
        raise RunFailed(f'{folder} is being run by another command; wait for it, or stop it') from None


def _shows_cracks(run: Run) -> bool:
    """Whether a run learns from crack photos, not from photos of anything (Step 1)."""
    return Config.fromfile(CONFIGS / run.config).train_dataloader.dataset.type == 'CrackDataset'


def _cfg_options(options: Mapping[str, Any]) -> list[str]:
    return ['--cfg-options', *(f'{key}={value}' for key, value in options.items())]


def _decisive(config: dict[str, Any]) -> dict[str, Any]:
    """The entries of a config that decide a run's result, as JSON has them."""
    entries = {key: config.get(key) for key in DECISIVE}
    hooks = config.get('default_hooks') or {}
    entries['schedules'] = {name: hooks[name] for name in SCHEDULES if name in hooks}
    for key in ('train_dataloader', 'test_dataloader'):
        entries[key] = {name: (entries[key] or {}).get(name) for name in DECISIVE_OF_DATA}
    return json.loads(json.dumps(entries, default=str))


def _flat(tree: Any, prefix: str = '') -> dict[str, Any]:
    """Leaves of nested dicts and lists by their dotted keys; an empty dict or list is a leaf."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    leaves = {}
    for key, value in items:
        leaves |= _flat(value, f'{prefix}{key}.')
    return leaves or {prefix.rstrip('.'): tree}
