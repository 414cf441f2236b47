"""The schedule of α, the weight of the boundary term."""

from __future__ import annotations

import math

from mmengine.dist import get_world_size
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import EpochBasedTrainLoop, Runner
from mmseg.registry import HOOKS

from csbsr_mm.losses.alpha_schedule import AlphaSchedule, check_alpha_range

from .boundary_losses import BoundaryLoss, boundary_losses
from .scheduled_model import unwrap


@HOOKS.register_module()
class BoundaryRebalanceHook(Hook):
    """Raise the weight α of the boundary term step by step during training.

    The boundary term leads to precise outlines, but only from a segmentation that is roughly right, so
    Dice and cross entropy come first. By default α starts at 0 and gains 0.01 in every epoch, up to
    0.99; the paper's 150,000 iterations of 9,122 images, six at a time, end at 0.98. The hook moves every
    ``BoundaryComboLoss`` of the model, auxiliary heads' included, whose ``alpha`` the config does not fix.

    α follows from the iteration alone: a resumed run needs nothing else. It is a buffer of the loss, so
    every checkpoint holds it, and stands as ``alpha`` in the log and in the visualizer's backends.

    Args:
        start: α before the first step, in [0, 1].
        end: Largest α, in [start, 1].
        step: What each step adds, > 0.
        epoch_iters: Iterations of an epoch, the time between two steps. None: the epochs of an
            epoch-based loop; otherwise ceil(images / images of one iteration on all processes).
        fraction: Instead of a step an epoch: steps at equal distances, so that α reaches ``end`` after
            this share of the training, in (0, 1].
        begin: Number of iterations that are done before α starts to rise: those with a task weight of 0,
            in which the segmentor does not train.

    Raises:
        ValueError: A value is outside its range.
        TypeError: The model has no ``BoundaryComboLoss``.

    Reference:
        Kondo and Ukita, IEEE TIM 2024, Eq. 3; Kervadec et al., Boundary loss for highly unbalanced
        segmentation, 2019 ("rebalance" strategy).

    Example:
        >>> hook = BoundaryRebalanceHook(epoch_iters=1601, begin=30000)
        >>> [hook.alpha_at(i) for i in (0, 30000, 31600, 31601, 10**6)]
        [0.0, 0.0, 0.0, 0.01, 0.99]
        >>> hook = BoundaryRebalanceHook(fraction=0.5)
        >>> [hook.alpha_at(i, max_iters=1000) for i in (0, 250, 500, 1000)]
        [0.0, 0.49, 0.99, 0.99]
    """

    priority = 'NORMAL'

    def __init__(
        self,
        start: float = 0.0,
        end: float = 0.99,
        step: float = 0.01,
        epoch_iters: int | None = None,
        fraction: float | None = None,
        begin: int = 0,
    ) -> None:
        check_alpha_range(start, end, step, begin)
        if epoch_iters is not None and epoch_iters < 1:
            raise ValueError(f'epoch_iters must be >= 1, got {epoch_iters}')
        if fraction is not None and not 0 < fraction <= 1:
            raise ValueError(f'fraction must be in (0, 1], got {fraction}')
        if fraction is not None and epoch_iters is not None:
            raise ValueError('give epoch_iters or fraction, not both: each says when alpha rises')
        self.start, self.end, self.step = start, end, step
        self.epoch_iters = epoch_iters
        self.fraction = fraction
        self.begin = begin
        self._losses: list[BoundaryLoss] = []
        self._applied: float | None = None

    def alpha_at(self, iteration: int, max_iters: int | None = None) -> float:
        """α when ``iteration`` iterations are done, that is, α of the next one.

        Args:
            iteration: Number of iterations that are done.
            max_iters: Number of iterations of the whole training, needed with ``fraction``.
        """
        total_iters = None
        if self.fraction is not None:
            if max_iters is None:
                raise ValueError('alpha_at needs max_iters, of which fraction is a part')
            total_iters = max(1.0, self.fraction * max(1, max_iters - self.begin))
        schedule = AlphaSchedule(
            epoch_iters=self.epoch_iters,
            total_iters=total_iters,
            start=self.start,
            end=self.end,
            increment=self.step,
            begin=self.begin,
        )
        return schedule.alpha_at(iteration)

    def before_train(self, runner: Runner) -> None:
        """Find the losses, and how long an epoch is."""
        found = boundary_losses(unwrap(runner.model))
        fixed = {name: loss.fixed_alpha for name, loss in found.items() if loss.fixed_alpha is not None}
        self._losses = [loss for name, loss in found.items() if name not in fixed]
        if not self._losses:
            print_log(f'alpha stays as the config fixes it: {fixed}', logger='current')
            return
        if self.fraction is None and self.epoch_iters is None:
            self.epoch_iters = _iterations_of_an_epoch(runner)
        pace = f'by {self.step:g} every {self.epoch_iters} iterations'
        if self.fraction is not None:
            pace = f'within {self.fraction:.0%} of the training'
        print_log(
            f'alpha of {", ".join(name for name in found if name not in fixed)} rises from {self.start:g} '
            f'to {self.end:g} {pace}, beginning at iteration {self.begin + 1}'
            + (f'; fixed: {fixed}' if fixed else ''),
            logger='current',
        )

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: dict | None = None) -> None:
        """Set α of this iteration."""
        if not self._losses:
            return
        alpha = self.alpha_at(runner.iter, runner.max_iters)
        if alpha != self._applied:
            for loss in self._losses:
                loss.set_alpha(alpha)
            print_log(f'alpha = {alpha:g} from iteration {runner.iter + 1}', logger='current')
            self._applied = alpha
        runner.message_hub.update_scalar('train/alpha', alpha)


def _iterations_of_an_epoch(runner: Runner) -> int:
    """Iterations in which training sees as many images as the data set has."""
    loop, loader = runner.train_loop, runner.train_dataloader
    if isinstance(loop, EpochBasedTrainLoop):
        return len(loader)
    if not hasattr(loader.dataset, '__len__'):
        raise ValueError(
            f'{type(loader.dataset).__name__} does not say how many images it has; give '
            f'BoundaryRebalanceHook epoch_iters or fraction'
        )
    batch_size = getattr(loop, 'global_batch_size', None)
    if batch_size is None:
        batch_size = (loader.batch_size or loader.batch_sampler.batch_size) * get_world_size()
    return math.ceil(len(loader.dataset) / batch_size)
