"""Stop training on a signal, with everything saved."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

import torch
from mmengine.dist import all_reduce, barrier, get_world_size, is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmseg.registry import HOOKS
from torch.utils.data import DataLoader

from .safe_checkpoint_hook import SafeCheckpointHook

SIGNALS: tuple[signal.Signals, ...] = (signal.SIGTERM, signal.SIGINT)
if hasattr(signal, 'SIGUSR1'):  # not on Windows
    SIGNALS = (*SIGNALS, signal.SIGUSR1)
STATUS = 75  # EX_TEMPFAIL of sysexits.h: try again.
ONE_REQUEST = 2.0


class TrainingStopped(SystemExit):
    """Training was stopped by a signal after its state was saved; the process ends with status 75."""


@HOOKS.register_module()
class StopSignalHook(Hook):
    """Finish the iteration, save, and end with status 75 when a signal asks for it.

    SIGTERM (a scheduler's preemption), SIGINT (Ctrl-C) and SIGUSR1 (Slurm's ``--signal=USR1@60``) ask for
    it. If one rank gets the signal, all stop at the same iteration. A second signal, two seconds later or
    more, ends the process at once; launchers repeat the first one within that time. During validation,
    a single process whose checkpoint is written already stops at once, others when validation is over.

    Needs :class:`SafeCheckpointHook`; with MMEngine's own checkpoint hook the signals keep their effect.
    """

    priority = 'LOWEST'

    def __init__(self) -> None:
        self._requested: int | None = None
        self._when = 0.0
        self._before: dict[int, Any] = {}
        self._saving: SafeCheckpointHook | None = None

    def before_train(self, runner: Runner) -> None:
        """Take the signals; workers leave them to their main process."""
        self._saving = next((hook for hook in runner.hooks if isinstance(hook, SafeCheckpointHook)), None)
        if self._saving is None:
            return
        for number in SIGNALS:
            self._before[number] = signal.signal(number, self._note)
        for loop in (runner.train_loop, runner.val_loop):
            if loop is not None and loop.dataloader.num_workers:
                loop.dataloader.worker_init_fn = _WorkerStart(loop.dataloader)

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Stop here if any rank was asked to."""
        if self._is_requested():
            self._stop(runner, runner.iter + 1)

    def after_val_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Stop a validation that will be repeated when training is resumed."""
        is_saved = self._saving is not None and self._saving.saved_step == runner.iter
        if self._requested and get_world_size() == 1 and is_saved:
            self._stop(runner, runner.iter)

    def after_val(self, runner: Runner) -> None:
        """Stop after validation."""
        if self._saving is not None and self._is_requested():
            self._stop(runner, runner.iter)

    def after_train(self, runner: Runner) -> None:
        """Give the signals back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()

    def _note(self, number: int, frame: FrameType | None) -> None:
        """Signal handler: remember the first, obey the second."""
        if self._requested is None:
            self._requested, self._when = number, time.monotonic()
        elif time.monotonic() - self._when >= ONE_REQUEST:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    def _is_requested(self) -> bool:
        if self._saving is None:
            return False
        if get_world_size() == 1:
            return self._requested is not None
        requested = torch.tensor(self._requested or 0)
        all_reduce(requested, op='max')
        self._requested = int(requested) or None
        return self._requested is not None

    def _stop(self, runner: Runner, step: int) -> None:
        assert self._saving is not None
        assert self._requested is not None
        self._saving.save_now(runner, step)
        barrier()  # A rank that ends earlier would have the launcher kill the one that is writing.
        if is_main_process():
            runner.logger.warning(
                f'{signal.Signals(self._requested).name}: stopped after iteration {step}; saved to '
                f'{self._saving.last_ckpt}, --resume goes on from there'
            )
        self.after_train(runner)
        raise TrainingStopped(STATUS)


class _WorkerStart:
    """Start of a loader's worker, which leaves signals to its main process."""

    def __init__(self, dataloader: DataLoader) -> None:
        self._then: Callable | None = dataloader.worker_init_fn

    def __call__(self, worker: int) -> None:
        for number in SIGNALS:
            if number != signal.SIGTERM:
                signal.signal(number, signal.SIG_IGN)
        if hasattr(signal, 'pthread_sigmask'):  # not on Windows
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        threading.Thread(target=_obey_parent, args=(os.getppid(),), daemon=True).start()
        if self._then is not None:
            self._then(worker)


def _obey_parent(parent: int) -> None:
    """End a worker on SIGTERM from its main process, and from no other process."""
    while signal.sigwaitinfo([signal.SIGTERM]).si_pid != parent:
        pass
    os._exit(0)
