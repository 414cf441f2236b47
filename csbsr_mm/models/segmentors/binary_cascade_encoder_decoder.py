"""Cascade of decode heads that runs each head once and may end in a single logit."""

from __future__ import annotations

from mmseg.models import CascadeEncoderDecoder
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from mmseg.utils import add_prefix
from torch import Tensor


@MODELS.register_module()
class BinaryCascadeEncoderDecoder(CascadeEncoderDecoder):
    """MMSegmentation's ``CascadeEncoderDecoder`` with two of its habits changed.

    - Its ``decode_head`` is a list, which has no ``threshold``: predicting with one output channel fails.
      Here the list carries the last head's threshold.
    - It runs every head but the last twice per training step, once for the loss and once for the next
      head, so that their batch norms update twice and their dropout differs between the two. Here the next
      head receives the logits that the loss saw.

    Arguments and parameter names are those of the base class.

    Example:
        >>> head = dict(in_channels=4, channels=4, num_classes=2, out_channels=1, threshold=0.5)
        >>> model = BinaryCascadeEncoderDecoder(
        ...     num_stages=2,
        ...     backbone=dict(type='VGG', depth=11, base_channels=4, out_indices=(0,)),
        ...     decode_head=[
        ...         dict(type='FCNHead', num_convs=0, concat_input=False, **head),
        ...         dict(type='OCRHead', ocr_channels=4, **head),
        ...     ])
        >>> model.decode_head.threshold
        0.5
    """

    def _init_decode_head(self, decode_head: list[dict]) -> None:
        super()._init_decode_head(decode_head)
        self.decode_head.threshold = self.decode_head[-1].threshold

    def _decode_head_forward_train(
        self, inputs: list[Tensor], data_samples: list[SegDataSample]
    ) -> dict[str, Tensor]:
        first, *middle, last = self.decode_head
        logits = first(inputs)
        losses = add_prefix(first.loss_by_feat(logits, data_samples), 'decode_0')
        for stage, head in enumerate(middle, start=1):
            logits = head(inputs, logits)
            losses.update(add_prefix(head.loss_by_feat(logits, data_samples), f'decode_{stage}'))
        last_losses = last.loss(inputs, logits, data_samples, self.train_cfg)
        losses.update(add_prefix(last_losses, f'decode_{self.num_stages - 1}'))
        return losses
