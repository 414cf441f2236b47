"""Checkpoints that survive a kill at any moment, and from which training resumes bit for bit."""

from __future__ import annotations

import errno
import logging
import os
import shutil
from pathlib import Path
from typing import Any

from mmengine.dist import all_gather_object, get_rank, get_world_size, is_main_process
from mmengine.hooks import CheckpointHook
from mmengine.logging import print_log
from mmengine.runner import Runner
from mmseg.registry import HOOKS
from torch import Tensor, nn

from csbsr_mm.utils.atomic_file import PARTIAL, write_atomically

from .. import atomic_backend  # noqa: F401  registers backend='atomic'
from ..checkpoint.checksum import add_checksums
from ..checkpoint.message_hub import plain_message_hub, plain_value, restore_message_hub
from ..checkpoint.settings import KEY as SETTINGS
from ..checkpoint.settings import check_settings, decisive_settings
from ..loops import VALIDATED
from ..random_state import get_random_state, set_random_state
from .scheduled_model import unwrap

OPTIMIZER = 'optim_wrapper.optimizer.type'
# Scalar buffers in which models and losses keep what hooks schedule.
SCHEDULE_STATE = ('_task_weight', '_use_gt_kernel', '_training_stage', 'alpha')


@HOOKS.register_module()
class SafeCheckpointHook(CheckpointHook):
    """MMEngine's ``CheckpointHook``, made safe and complete.

    Safe: a checkpoint is written under a temporary name, flushed to the disk and renamed; then
    ``last_checkpoint`` is moved on in the same way, and only then are outdated checkpoints deleted.
    ``last_checkpoint`` always names a complete file, even if the process is killed.

    Complete: the random generators of every rank are saved and restored, and validation leaves no
    trace in them. ``--resume`` continues everything; ``load_from`` takes the weights alone, so that β,
    stage and α are those of the config that loads them.

    Plain: a checkpoint holds tensors, numbers, strings and containers, so that ``torch.load`` reads it by
    default, and the checksums of its weights.

    Args:
        interval: Iterations (epochs, if ``by_epoch``) between checkpoints.
        by_epoch: What ``interval`` counts.
        max_keep_ckpts: How many checkpoints to keep; -1 keeps all.
        backend_args: File backend of MMEngine; local files, written atomically, by default.
        **kwargs: As for MMEngine's ``CheckpointHook``.
    """

    def __init__(
        self,
        interval: int = -1,
        by_epoch: bool = False,
        max_keep_ckpts: int = 2,
        backend_args: dict | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            interval=interval,
            by_epoch=by_epoch,
            max_keep_ckpts=max_keep_ckpts,
            backend_args=backend_args or dict(backend='atomic'),
            **kwargs,
        )
        self._state_before_validation: dict | None = None
        self._states_to_save: list[dict] | None = None
        self._states_to_restore: list[dict] | None = None
        self.saved_step: int | None = None

    # Writing.

    def before_train(self, runner: Runner) -> None:
        """Find the output folder; delete what a killed process left half-written there."""
        super().before_train(runner)
        if is_main_process() and os.path.isdir(self.out_dir):
            for leftover in Path(self.out_dir).glob(f'*{PARTIAL}'):
                leftover.unlink()

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict) -> None:
        """Write a checkpoint, then ``last_checkpoint``, then delete outdated checkpoints."""
        state = self._state_before_validation or get_random_state()
        self._states_to_save = all_gather_object(state)
        self._check_room(runner)
        outdated = self._remember(runner, step)
        name = self.filename_tmpl.format(step)
        self.last_ckpt = self.file_backend.join_path(self.out_dir, name)
        runner.message_hub.update_info('last_ckpt', self.last_ckpt)
        runner.save_checkpoint(
            self.out_dir,
            name,
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler and runner.param_schedulers is not None,
            meta=meta,
            by_epoch=self.by_epoch,
            backend_args=self.backend_args,
            **self.args,
        )
        self._states_to_save, self.saved_step = None, step
        if is_main_process():
            write_atomically(Path(runner.work_dir) / 'last_checkpoint', self.last_ckpt.encode())
            for old in outdated:
                path = self.file_backend.join_path(self.out_dir, self.filename_tmpl.format(old))
                if self.file_backend.isfile(path):
                    self.file_backend.remove(path)

    def _check_room(self, runner: Runner) -> None:
        """Refuse to begin a checkpoint without room for it; it needs as much as the last one."""
        last = self.file_backend.join_path(self.out_dir, str(self.last_ckpt or ''))
        if not is_main_process() or not os.path.isfile(last):
            return
        needed, free = os.path.getsize(last), shutil.disk_usage(self.out_dir).free
        if free < needed:
            raise OSError(
                errno.ENOSPC,
                f'no room for the checkpoint of iteration {runner.iter + 1}: it takes {needed / 1e6:.0f} MB, '
                f'{free / 1e6:.0f} MB are free; --resume goes on from {last}',
                self.out_dir,
            )

    def save_now(self, runner: Runner, step: int) -> None:
        """Write the checkpoint of an iteration, unless that has just been done.

        Args:
            runner: The runner.
            step: Iterations that are done.
        """
        if self.saved_step != step:
            self._save_checkpoint_with_step(runner, step, meta=dict(epoch=runner.epoch, iter=step))

    def _remember(self, runner: Runner, step: int) -> list[int]:
        """Note that a checkpoint of ``step`` will exist; returns the steps of those then outdated."""
        if self.max_keep_ckpts <= 0:
            return []
        known = [old for old in self.keep_ckpt_ids if old != step] + [step]
        # Outdated ones stay in the checkpoint's own list: if we die before deleting them, MMEngine does
        # so when the run is resumed.
        runner.message_hub.update_info('keep_ckpt_ids', known)
        self.keep_ckpt_ids.clear()
        self.keep_ckpt_ids.extend(known)
        return known[: -self.max_keep_ckpts]

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Add the random generators of all ranks and checksums; leave nothing but plain data."""
        if self._states_to_save is not None:
            checkpoint['random_states'] = self._states_to_save
        checkpoint['meta'] = plain_value(checkpoint['meta'])
        checkpoint['meta'][SETTINGS] = decisive_settings(runner.cfg, get_world_size())
        checkpoint['message_hub'] = plain_message_hub(checkpoint['message_hub'])
        add_checksums(checkpoint)

    # Reading.

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Keep the generators for the start of training; drop schedules that are not resumed."""
        if runner._resume:
            self._compare_settings(runner, checkpoint)
            folder = Path(runner._load_from or self.out_dir).parent
            checkpoint['message_hub'] = restore_message_hub(checkpoint['message_hub'], folder)
            self._states_to_restore = checkpoint.get('random_states')
        elif 'state_dict' in checkpoint:
            _drop_schedule_state(unwrap(runner.model), checkpoint['state_dict'])

    def _compare_settings(self, runner: Runner, checkpoint: dict) -> None:
        before = checkpoint.get('meta', {}).get(SETTINGS)
        if before is None:
            return
        now = decisive_settings(runner.cfg, get_world_size())
        for line in check_settings(before, now, runner.cfg.get('allow_changed') or ()):
            print_log(f'Resumed with a changed setting: {line}', logger='current', level=logging.WARNING)
        if before.get(OPTIMIZER) != now.get(OPTIMIZER) and checkpoint.pop('optimizer', None) is not None:
            print_log('Another type of optimizer: its state starts afresh', logger='current')

    def before_train_epoch(self, runner: Runner) -> None:
        """Restore the generators, after everything is built and before the first batch is drawn."""
        states, self._states_to_restore = self._states_to_restore, None
        if states is None:
            return
        if len(states) != get_world_size():
            print_log(
                f'The checkpoint was written by {len(states)} processes, now there are {get_world_size()}: '
                f'training goes on with new random numbers for dropout',
                logger='current',
            )
            return
        set_random_state(states[get_rank()])

    # Validation draws random numbers too (to seed its workers).

    def before_val(self, runner: Runner) -> None:
        """Note the generators as training left them."""
        self._state_before_validation = get_random_state()

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Note that this iteration is validated, in the best checkpoint too."""
        runner.message_hub.update_info(VALIDATED, runner.iter)
        super().after_val_epoch(runner, metrics)

    def after_val(self, runner: Runner) -> None:
        """Let training find its generators as it left them."""
        assert self._state_before_validation is not None
        set_random_state(self._state_before_validation)
        self._state_before_validation = None


def _drop_schedule_state(model: nn.Module, state_dict: dict[str, Tensor]) -> None:
    scalars = {name for name, buffer in model.named_buffers() if buffer.ndim == 0}
    for name in list(state_dict):
        if name in scalars and name.rsplit('.', 1)[-1] in SCHEDULE_STATE:
            del state_dict[name]
