"""Access to the end of a segmentor: its last decode head, that head's features and logits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from torch import Tensor, nn

WITHOUT_LOGITS = (
    'weights made from the labels alone, such as CrackOrientedWeight, work with every head; docs/heads.md '
    'lists the heads that all of them work with'
)


def last_decode_head(segmentor: nn.Module) -> nn.Module:
    """The decode head that makes a segmentor's prediction: the last of several."""
    head = segmentor.decode_head
    return head[-1] if isinstance(head, nn.ModuleList) else head


def crack_threshold(segmentor: nn.Module) -> float:
    """Probability above which a pixel is crack.

    With several classes it is one half. A single channel is compared with the
    segmentor's own ``threshold``, or with that of its last decode head (0.3 in MMSegmentation).
    """
    if segmentor.out_channels > 1:
        return 0.5
    holder = segmentor if hasattr(segmentor, 'threshold') else last_decode_head(segmentor)
    return float(holder.threshold)


class ClassifierTap:
    """Reads the logits, and may change the features, of a decode head's classifier.

    MMSegmentation calls ``head.forward`` directly, so hooks on a head never fire. Hooks on the head's
    classifier do, in training, whole-image and sliding-window inference alike: a forward pre-hook sees
    the features that enter it, a forward hook the logits that leave it.

    Args:
        segmentor: An MMSegmentation segmentor; with several decode heads the last one is tapped.
        module: Name of the classifier inside the head.

    Raises:
        TypeError: The head is none of MMSegmentation's per-pixel heads, or lacks that module.
    """

    def __init__(self, segmentor: nn.Module, module: str = 'conv_seg') -> None:
        head = last_decode_head(segmentor) if hasattr(segmentor, 'decode_head') else None
        name = type(head).__name__
        classifier = None
        if isinstance(head, BaseDecodeHead):
            classifier = dict(head.named_modules()).get(module)
        if classifier is None:
            raise TypeError(
                f'{name} has no per-pixel classifier {module!r}, which SR loss weights made from logits and '
                f'the blur skip need; use a head derived from BaseDecodeHead, or name its last module with '
                f'`classifier=...`; {WITHOUT_LOGITS}'
            )
        self.name = f'{name}.{module}'
        self._channels = int(segmentor.out_channels)
        self._listening = False
        self._condition: Callable[[Tensor], Tensor] | None = None
        self._logits: Tensor | None = None
        # Bound methods, because a deep copy of the model (EMA) must get hooks of its own.
        classifier.register_forward_pre_hook(self._before)
        classifier.register_forward_hook(self._after)

    @contextmanager
    def listen(self, condition: Callable[[Tensor], Tensor] | None = None) -> Iterator[ClassifierTap]:
        """Within this context features pass through ``condition`` and logits can be read."""
        self._listening, self._condition = True, condition
        try:
            yield self
        finally:
            self._listening, self._condition, self._logits = False, None, None

    @property
    def logits(self) -> Tensor:
        """Logits (B, C, h, w) of the last pass, at the resolution of the head.

        Raises:
            RuntimeError: The classifier was not called.
            TypeError: What it gave are no logits of pixels.
        """
        if self._logits is None:
            raise RuntimeError(
                f'{self.name} was not called in the last pass; this head classifies elsewhere: '
                f'name its last module with `classifier=...`; {WITHOUT_LOGITS}'
            )
        shape = tuple(getattr(self._logits, 'shape', ()))
        if len(shape) != 4 or shape[1] != self._channels:
            raise TypeError(
                f'{self.name} gives {shape or type(self._logits).__name__} and no logits of pixels, '
                f'(B, {self._channels}, h, w); {WITHOUT_LOGITS}'
            )
        return self._logits

    def _before(self, _module: nn.Module, args: tuple) -> tuple | None:
        if self._condition is None:
            return None
        return (self._condition(args[0]), *args[1:])

    def _after(self, _module: nn.Module, _args: tuple, output: Tensor) -> None:
        if self._listening:
            self._logits = output
