"""Make the same computation faster: compiled networks, channels-last memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import Runner
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.registry import HOOKS
from torch import nn

from .scheduled_model import unwrap

SEGMENTOR_PARTS = ('backbone', 'neck', 'decode_head', 'auxiliary_head')


@HOOKS.register_module()
class AccelerationHook(Hook):
    """Compile parts of the model, and store its images in the memory order that GPUs prefer.

    Results agree up to rounding. Checkpoints are the same with and without.

    Args:
        compile_parts: Submodules to pass to ``torch.compile``, such as 'sr' and 'segmentor'. Of a
            segmentor, backbone, neck and heads are compiled each for itself: MMSegmentation's losses
            and samplers between them would only break the graph.
        compile_options: Arguments of ``torch.compile``, e.g. ``dict(mode='max-autotune')``.
        channels_last: Keep the weights of convolutions, and with them all feature maps, in
            channels-last order, which convolutions in half precision on GPUs prefer.

    Raises:
        ValueError: A name that is no submodule.

    Example:
        A switch on the command line::

            --cfg-options default_hooks.acceleration.type=AccelerationHook
                          default_hooks.acceleration.compile_parts='[sr,segmentor]'
                          default_hooks.acceleration.channels_last=True
    """

    def __init__(
        self,
        compile_parts: Sequence[str] = (),
        compile_options: dict | None = None,
        channels_last: bool = False,
    ) -> None:
        self.compile_parts = list(compile_parts)
        self.compile_options = dict(compile_options or {})
        self.channels_last = channels_last
        self._applied = False

    # After before_run: by then EMA has copied the model, which compiled parts would not survive.

    def before_train(self, runner: Runner) -> None:
        """Accelerate training."""
        self._apply(unwrap(runner.model))

    def before_test(self, runner: Runner) -> None:
        """Accelerate testing."""
        self._apply(unwrap(runner.model))

    def _apply(self, model: nn.Module) -> None:
        if self._applied:
            return
        self._applied = True
        if self.channels_last:
            model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks it
        for name in self.compile_parts:
            for module in _modules_to_compile(model, name):
                _compile(module, self.compile_options)
        print_log(
            f'compiled: {", ".join(self.compile_parts) or "nothing"} (slow first iterations); '
            f'channels last: {self.channels_last}',
            logger='current',
        )


def _modules_to_compile(model: nn.Module, name: str) -> Iterator[nn.Module]:
    part = dict(model.named_modules()).get(name)
    if part is None:
        known = [child for child, _ in model.named_children()]
        raise ValueError(f'compile_parts: {type(model).__name__} has no submodule {name!r}; it has {known}')
    found = [getattr(part, child, None) for child in SEGMENTOR_PARTS]
    for module in [module for module in found if module is not None] or [part]:
        yield from module if isinstance(module, nn.ModuleList) else (module,)


def _compile(module: nn.Module, options: dict) -> None:
    if isinstance(module, BaseDecodeHead):
        # Heads call their own `forward`, not themselves.
        module.forward = torch.compile(module.forward, **options)
    else:
        module.compile(**options)
