"""A training loop that resumes where it was stopped, bit for bit."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.dist import get_world_size
from mmengine.logging import print_log
from mmengine.runner import BaseLoop, IterBasedTrainLoop, Runner
from mmengine.runner.utils import calc_dynamic_intervals
from mmseg.registry import LOOPS
from torch import Tensor
from torch.utils.data import DataLoader

from .hung_workers import WatchedBatches

POSITION = 'draw_position'
VALIDATED = 'validated_iteration'


@LOOPS.register_module()
class ResumableIterBasedTrainLoop(IterBasedTrainLoop):
    """MMEngine's iteration-based loop with a data order that is resumed, not replayed.

    With :class:`~csbsr_mm.datasets.KeyedInfiniteSampler` the loop knows how many draws of the global
    sample order training has used, saves that number in every checkpoint, and starts there after
    ``--resume``: at iteration 100,000 as fast as at iteration 1, also with another number of GPUs.

    One iteration is one update of the parameters. With ``optim_wrapper.accumulative_counts=n`` it takes
    n batches and averages their gradients, so that schedules keep their meaning (MMEngine's own loop
    would count each batch as an iteration).

    Args:
        runner: The runner.
        dataloader: Data loader or its config.
        max_iters: Number of updates.
        val_begin: Number of the first iteration that may be followed by validation.
        val_interval: Iterations between validations.
        dynamic_intervals: As of MMEngine's loop.
    """

    def __init__(
        self,
        runner: Runner,
        dataloader: DataLoader | dict,
        max_iters: int,
        val_begin: int = 1,
        val_interval: int = 1000,
        dynamic_intervals: list[tuple[int, int]] | None = None,
    ) -> None:
        # Not IterBasedTrainLoop's: in upstream MMEngine it starts the workers, at the beginning of the data.
        BaseLoop.__init__(self, runner, dataloader)
        if int(max_iters) != max_iters:
            raise ValueError(f'max_iters must be a whole number, got {max_iters}')
        self._max_iters, self._iter = int(max_iters), 0
        self._max_epochs, self._epoch = 1, 0
        self.val_begin, self.val_interval = val_begin, val_interval
        self.dynamic_milestones, self.dynamic_intervals = calc_dynamic_intervals(
            val_interval, dynamic_intervals
        )
        self.stop_training = False
        runner.visualizer.dataset_meta = getattr(self.dataloader.dataset, 'metainfo', None)
        self.accumulative_counts = _take_accumulative_counts(runner)
        self.position = 0

    @property
    def global_batch_size(self) -> int:
        """Samples that one iteration uses on all ranks together."""
        loader = self.dataloader
        batch_size = loader.batch_size or loader.batch_sampler.batch_size
        return batch_size * get_world_size() * self.accumulative_counts

    def run(self) -> torch.nn.Module:
        """Train."""
        self.runner.call_hook('before_train')
        self._start_data()
        self._start_accumulation()
        # From here on nothing but training itself draws random numbers: SafeCheckpointHook restores them.
        self.runner.call_hook('before_train_epoch')
        if self._iter > 0 and self.runner.message_hub.get_info(VALIDATED, 0) < self._iter:
            self._validate_if_due()  # The run may have ended between the checkpoint and this validation.
        while self._iter < self._max_iters and not self.stop_training:
            self.runner.model.train()
            self.run_iter(next(self.dataloader_iterator))
            self._validate_if_due()
        self.runner.call_hook('after_train_epoch')
        self.runner.call_hook('after_train')
        return self.runner.model

    def _validate_if_due(self) -> None:
        self._decide_current_val_interval()
        due = self._iter % self.val_interval == 0 or self._iter == self._max_iters
        if self.runner.val_loop is not None and self._iter >= self.val_begin and due:
            self.runner.val_loop.run()

    def run_iter(self, data_batch: Any) -> None:
        """One update, from one or, with accumulation, several batches."""
        self.runner.call_hook('before_train_iter', batch_idx=self._iter, data_batch=data_batch)
        outputs = [self._train_step(data_batch)]
        for _ in range(self.accumulative_counts - 1):
            outputs.append(self._train_step(next(self.dataloader_iterator)))
        self.position += self.global_batch_size
        self.runner.message_hub.update_info(POSITION, self.position)
        self.runner.call_hook(
            'after_train_iter', batch_idx=self._iter, data_batch=data_batch, outputs=_mean(outputs)
        )
        self._iter += 1

    def _train_step(self, data_batch: Any) -> dict[str, Tensor]:
        try:
            return self.runner.model.train_step(data_batch, optim_wrapper=self.runner.optim_wrapper)
        except ValueError as error:
            if 'more than 1 value per channel' not in str(error):
                raise
            raise ValueError(
                f'{error}: batch norm after pooling to 1x1 cannot train on one image per process. Use '
                f'SyncBN on several GPUs, a larger train_dataloader.batch_size, or a head without '
                f'image-level pooling'
            ) from error

    def _start_data(self) -> None:
        """Set the sampler to where training stopped, and only then start the workers."""
        sampler = self.dataloader.sampler
        if self._iter > 0:
            self.position = self.runner.message_hub.get_info(POSITION, self._iter * self.global_batch_size)
        if hasattr(sampler, 'set_position'):
            # A resumed run may have been configured with another seed.
            sampler.seed = self.runner.seed if self._iter > 0 else sampler.seed
            sampler.set_position(self.position)
        elif self._iter > 0:
            print_log(
                f'{type(sampler).__name__} cannot go on where training stopped: the data start over. Use '
                f'train_dataloader.sampler.type=KeyedInfiniteSampler to resume exactly',
                logger='current',
            )
        self.dataloader_iterator = _EndlessBatches(self.dataloader)

    def _start_accumulation(self) -> None:
        count = self.accumulative_counts
        if count > 1:
            wrapper = self.runner.optim_wrapper
            wrapper._accumulative_counts = count
            wrapper.initialize_count_status(self.runner.model, self._iter * count, self._max_iters * count)


class _EndlessBatches:
    """Batches of a data loader, over and over; the workers start at once."""

    def __init__(self, dataloader: DataLoader) -> None:
        self._dataloader = dataloader
        self._epoch = 0
        self._batches = WatchedBatches(dataloader)

    def __iter__(self) -> _EndlessBatches:
        return self

    def __next__(self) -> Any:
        try:
            return next(self._batches)
        except StopIteration:
            self._epoch += 1
            if hasattr(self._dataloader.sampler, 'set_epoch'):
                self._dataloader.sampler.set_epoch(self._epoch)
            self._batches = WatchedBatches(self._dataloader)
            return next(self._batches)


def _take_accumulative_counts(runner: Runner) -> int:
    """Move ``accumulative_counts`` from the optimizer wrapper, not yet built, to the loop."""
    wrapper = runner.optim_wrapper
    if isinstance(wrapper, dict):
        return wrapper.pop('accumulative_counts', 1)
    return wrapper._accumulative_counts


def _mean(outputs: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Average the log entries of an iteration's batches."""
    if len(outputs) == 1:
        return outputs[0]
    return {name: torch.stack([output[name].detach() for output in outputs]).mean(0) for name in outputs[0]}
