"""What the training schedule changes in a joint model: task weight, kernel source, frozen parts."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from csbsr_mm.utils.checks import check_share

STATE = ('_task_weight', '_use_gt_kernel', '_training_stage')


class TrainingStateMixin:
    """Schedule state of a model with an SR network ``sr`` and, perhaps, a ``segmentor``.

    The state lives in buffers, so that a checkpoint holds it, and is mirrored in Python numbers, so that
    reading it in every iteration does not wait for the GPU. Hooks change it through the setters.
    """

    def init_training_state(self, task_weight: float) -> None:
        """Register the state; call once, after the submodules are built."""
        self.register_buffer('_task_weight', torch.zeros((), dtype=torch.float64))
        self.register_buffer('_use_gt_kernel', torch.zeros((), dtype=torch.bool))
        self.register_buffer('_training_stage', torch.full((), -1, dtype=torch.int64))
        self._frozen: list[nn.Module] = []
        self.kernel_only = False  # follows from the iteration, so that a checkpoint need not hold it
        self.set_task_weight(task_weight)
        self.set_use_gt_kernel(False)
        self.set_training_stage(-1)

    @property
    def task_weight(self) -> float:
        """β, the weight of the segmentation loss, in [0, 1]."""
        return self._task_weight_value

    @property
    def use_gt_kernel(self) -> bool:
        """Whether training feeds the true blur kernel to the SR network."""
        return self._use_gt_kernel_value

    @property
    def training_stage(self) -> int:
        """Index of the current stage of a staged schedule, -1 before the first."""
        return self._training_stage_value

    def set_task_weight(self, value: float) -> None:
        """Set β.

        Raises:
            ValueError: Outside [0, 1].
        """
        check_share('task_weight (β)', value)
        self._task_weight.fill_(value)
        self._task_weight_value = float(value)

    def set_use_gt_kernel(self, value: bool) -> None:
        """Choose between the true (True) and the predicted (False) blur kernel in training."""
        self._use_gt_kernel.fill_(value)
        self._use_gt_kernel_value = bool(value)

    def set_training_stage(self, index: int) -> None:
        """Note which stage of the schedule is running."""
        self._training_stage.fill_(index)
        self._training_stage_value = int(index)

    def read_training_state(self, state_dict: dict[str, Tensor], prefix: str = '') -> None:
        """Update the Python mirror after a checkpoint was loaded."""
        setters = (self.set_task_weight, self.set_use_gt_kernel, self.set_training_stage)
        for name, setter in zip(STATE, setters, strict=True):
            if prefix + name in state_dict:
                setter(state_dict[prefix + name].item())

    def parts(self) -> dict[str, list[nn.Module]]:
        """Named parts that a schedule can freeze: 'sr', 'sr.kernel_predictor', 'segmentor', 'blur_skip'."""
        parts = {
            name: [module]
            for name in ('sr', 'segmentor', 'blur_skip')
            if (module := getattr(self, name, None)) is not None
        }
        predictors = getattr(self.sr, 'kernel_predictor_modules', None)
        if predictors is not None:
            parts['sr.kernel_predictor'] = [self.sr.get_submodule(name) for name in predictors()]
        return parts

    def set_trainable(self, trainable: list[str] | None = None, frozen: list[str] | tuple = ()) -> None:
        """Choose which parts learn; parts that do not also keep their batch-norm statistics.

        Args:
            trainable: Parts that learn, all others are frozen; None means all.
            frozen: Parts that do not learn, taken out of ``trainable``.

        Raises:
            ValueError: A name that is no part of this model.
        """
        parts = self.parts()
        for name in [*(trainable or ()), *frozen]:
            if name not in parts:
                raise ValueError(f'{type(self).__name__} has no part {name!r}; it has {sorted(parts)}')
        self.requires_grad_(trainable is None)
        for names, learns in ((trainable or (), True), (frozen, False)):
            for name in names:
                for module in parts[name]:
                    module.requires_grad_(learns)
        self._frozen = [
            module
            for module in self.modules()
            if any(True for _ in module.parameters())
            and not any(parameter.requires_grad for parameter in module.parameters())
        ]
        self.train(self.training)

    def train(self, mode: bool = True):
        """Set the mode; frozen modules stay in evaluation mode."""
        super().train(mode)
        for module in self._frozen if mode and hasattr(self, '_frozen') else ():
            module.eval()
        return self
