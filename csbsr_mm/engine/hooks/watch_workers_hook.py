"""Name the files in flight when a worker of validation or test hangs."""

from __future__ import annotations

from mmengine.hooks import Hook
from mmengine.runner import BaseLoop, Runner
from mmseg.registry import HOOKS

from ..hung_workers import WatchedLoader


@HOOKS.register_module()
class WatchWorkersHook(Hook):
    """Report which files the loaders of validation and test waited for, as training does by itself.

    MMEngine's loops end with ``DataLoader timed out`` alone. ``prepare_runtime`` adds this hook.
    """

    def before_val(self, runner: Runner) -> None:
        """Watch the loader of validation."""
        _watch(runner.val_loop, 'val_dataloader')

    def before_test(self, runner: Runner) -> None:
        """Watch the loader of the test."""
        _watch(runner.test_loop, 'test_dataloader')


def _watch(loop: BaseLoop, name: str) -> None:
    if not isinstance(loop.dataloader, WatchedLoader):
        loop.dataloader = WatchedLoader(loop.dataloader, name)
