"""Iterations per second in the log."""

from __future__ import annotations

from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmseg.registry import HOOKS


@HOOKS.register_module()
class ThroughputHook(Hook):
    """Log ``it_per_s``, iterations per second over the last ones.

    MMEngine's log has the reciprocal (``time``), the time spent waiting for data (``data_time``), the
    time left (``eta``) and, on GPUs, the memory.

    Args:
        window: How many iterations to average over.
    """

    # Between IterTimerHook (50), which measures, and LoggerHook (60), which prints.
    priority = 55

    def __init__(self, window: int = 10) -> None:
        self.window = window

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict | None = None, outputs: dict | None = None
    ) -> None:
        """Write the rate of this iteration and those before."""
        seconds = runner.message_hub.get_scalar('train/time').mean(self.window)
        runner.message_hub.update_scalar('train/it_per_s', 1 / seconds)
