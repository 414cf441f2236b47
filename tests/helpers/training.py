"""A training run of seconds: synthetic pairs, the small CSBSR model, and a config that joins them.

Also imported by the processes that tests start, through ``custom_imports``.
"""

import contextlib
import io
import os
import signal
import socket
import subprocess
import sys
import uuid
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.logging import MessageHub, MMLogger
from mmengine.structures import PixelData
from mmseg.registry import DATASETS, HOOKS, MODELS
from mmseg.structures import SegDataSample
from torch.utils.data import Dataset

from csbsr_mm.cli import ERROR, main
from csbsr_mm.engine.checkpoint import read_checkpoint
from csbsr_mm.models.data_preprocessor import BlindSRDataPreProcessor
from csbsr_mm.models.segmentors import BlindSRSegmentor
from csbsr_mm.visualization import BlindSRLocalVisualizer
from helpers.models import tiny_csbsr

ROOT = Path(__file__).parents[2]
TESTS = Path(__file__).parents[1]

# The tensors of these runs are so small that threads only wait for each other.
torch.set_num_threads(1)


@DATASETS.register_module()
class SyntheticPairs(Dataset):
    """LR images and their HR targets, a function of the draw (training) or the index (testing)."""

    metainfo = dict(classes=('background', 'crack'), palette=[[0, 0, 0], [255, 0, 0]])

    def __init__(self, length=10, size=(6, 8), kernel_size=5, label_scale=4, log=None, nan_at=None):
        self.length, self.size, self.kernel_size = length, size, kernel_size
        self.label_scale, self.log, self.nan_at = label_scale, log, nan_at

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        draw = getattr(index, 'draw', int(index))
        if self.log:
            with open(self.log, 'a') as file:
                file.write(f'{draw}\n')
        generator = np.random.default_rng([int(index), draw])
        hr_size = [4 * side for side in self.size]
        sample = SegDataSample(
            metainfo=dict(ori_shape=self.size, img_shape=self.size, img_path=f'{index}.png')
        )
        kernel = generator.random((1, self.kernel_size, self.kernel_size), np.float32)
        hr_image = generator.integers(0, 256, (3, *hr_size), np.uint8)
        image = hr_image[:, ::4, ::4].astype(np.float32)
        if draw == self.nan_at:
            image[0, 0, 0] = np.nan
        step = 4 // self.label_scale
        label = (hr_image[:1, ::step, ::step] > 200).astype(np.int64)
        sample.gt_sem_seg = PixelData(data=torch.from_numpy(label))
        sample.gt_hr_img = PixelData(data=torch.from_numpy(hr_image))
        sample.gt_blur_kernel = PixelData(data=torch.from_numpy(kernel / kernel.sum()))
        return dict(inputs=torch.from_numpy(image), data_samples=sample)


@HOOKS.register_module()
class KillHook(Hook):
    """Die as if the power failed: after an iteration, or half-way through writing a checkpoint."""

    priority = 'LOWEST'

    def __init__(self, after_iter=None, while_saving=None, rank=0):
        self.after_iter, self.while_saving, self.rank = after_iter, while_saving, rank

    def before_save_checkpoint(self, runner, checkpoint):
        if checkpoint['meta']['iter'] == self.while_saving:
            os.fsync = lambda descriptor: os.kill(os.getpid(), signal.SIGKILL)

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter + 1 == self.after_iter and runner.rank == self.rank:
            os.kill(os.getpid(), signal.SIGKILL)


@HOOKS.register_module()
class SignalHook(Hook):
    """Send this process, or its whole group as a terminal does, a signal."""

    def __init__(self, after_iter=None, signal='SIGTERM', to_group=False, rank=0, in_validation=False):
        self.after_iter, self.signal, self.to_group, self.rank = after_iter, signal, to_group, rank
        self.in_validation = in_validation

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter + 1 == self.after_iter and runner.rank == self.rank:
            target = -os.getpgrp() if self.to_group else os.getpid()
            # Another process sends it, as a terminal or a scheduler does; it may belong to the group.
            subprocess.run(['kill', '-s', self.signal.removeprefix('SIG'), '--', str(target)], check=False)

    def before_val(self, runner):
        if self.in_validation:
            os.kill(os.getpid(), getattr(signal, self.signal))


@HOOKS.register_module()
class DisturbHook(Hook):
    """Set the generators in the midst of training."""

    def __init__(self, seed):
        self.seed = seed

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        torch.manual_seed(100 * self.seed + batch_idx)


@HOOKS.register_module()
class PerturbHook(Hook):
    """Make one rank's parameters differ, as a parameter that DDP does not know would."""

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.rank == 1:
            next(runner.model.parameters()).data.add_(1e-6)


@MODELS.register_module()
class DoubleBlindSRSegmentor(BlindSRSegmentor):
    """The joint model in float64."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.double()


@MODELS.register_module()
class DoubleDataPreProcessor(BlindSRDataPreProcessor):
    """Images and targets in float64."""

    def forward(self, data, training=False):
        data = super().forward(data, training)
        for sample in data['data_samples']:
            sample.gt_hr_img.data = sample.gt_hr_img.data.double()
            sample.gt_blur_kernel.data = sample.gt_blur_kernel.data.double()
        return {**data, 'inputs': data['inputs'].double()}


def loader(batch_size=2, workers=0, **dataset):
    return dict(
        batch_size=batch_size,
        num_workers=workers,
        persistent_workers=workers > 0,
        sampler=dict(type='KeyedInfiniteSampler', shuffle=True),
        dataset=dict(type='SyntheticPairs', **dataset),
    )


def tiny_config(work_dir, max_iters=4, interval=1000, hooks=(), **changes):
    """A complete config; ``changes`` replace its top-level entries, or ``None`` removes them."""
    cfg = dict(
        custom_imports=dict(imports=['csbsr_mm', 'helpers.training'], allow_failed_imports=False),
        default_scope='mmseg',
        work_dir=str(work_dir),
        # MMEngine keeps loggers and message hubs by name, for the whole process.
        experiment_name=uuid.uuid4().hex,
        model=tiny_csbsr(),
        train_dataloader=loader(),
        train_cfg=dict(type='ResumableIterBasedTrainLoop', max_iters=max_iters),
        optim_wrapper=dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=1e-3)),
        default_hooks=dict(
            logger=dict(type='LoggerHook', interval=1),
            checkpoint=dict(type='SafeCheckpointHook', interval=interval),
        ),
        custom_hooks=list(hooks),
        log_processor=dict(by_epoch=False),
        randomness=dict(seed=0),
        log_level='WARNING',
    )
    cfg.update(changes)
    return Config({key: value for key, value in cfg.items() if value is not None})


def dump(cfg, path):
    cfg.dump(path)
    return path


def run_tool(tool, *arguments, check=True, timeout=300, **env):
    """Run a command-line tool of the project in a process of its own."""
    environment = dict(
        os.environ,
        PYTHONPATH=os.pathsep.join([str(TESTS), str(ROOT)]),
        PYTHON=sys.executable,
        OMP_NUM_THREADS='1',
        CUDA_VISIBLE_DEVICES='-1',
        **env,
    )
    interpreter = [] if str(tool).endswith('.sh') else [sys.executable]
    done = subprocess.run(
        [*interpreter, str(ROOT / 'tools' / tool), *map(str, arguments)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert not check or done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done


def load(path):
    """A checkpoint, its log history as MMEngine has it."""
    return read_checkpoint(path)


def free_port():
    """A port on which two processes can meet."""
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return str(probe.getsockname()[1])


def csbsr(*words):
    """Run the command ``csbsr`` within this process.

    MMEngine tells runs apart by name and second; what a run of the same second left behind is forgotten.

    Returns:
        The exit status, unless it says that there was an error.

    Raises:
        SystemExit: With the line that an error ended with.
    """
    for manager in (MessageHub, MMLogger, BlindSRLocalVisualizer):
        manager._instance_dict.clear()
    complaint = io.StringIO()
    with contextlib.redirect_stderr(complaint):
        status = main([str(word) for word in words])
    if status == ERROR:
        raise SystemExit(complaint.getvalue().strip().splitlines()[-1])
    return status
