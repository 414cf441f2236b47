"""Test-time augmentation of models whose outputs are SR images and probabilities."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmengine.structures import PixelData
from mmseg.models.segmentors import SegTTAModel
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor

from csbsr_mm.functional.probability import class_probabilities, predicted_labels
from csbsr_mm.models.utils.classifier_tap import crack_threshold


@MODELS.register_module()
class BlindSRTTAModel(SegTTAModel):
    """Average what a model predicts for flipped and resized versions of a photo.

    MMSegmentation's own TTA model applies the sigmoid to what the segmentor has already turned into a
    probability, so that a single crack channel never falls below 0.5. Here probabilities are averaged,
    ``seg_logits`` are made from them, and the prediction uses the model's threshold. SR images are
    averaged too; blur kernels over the versions of the photo that were not resized, whose pixels they
    speak of. Ground truth is taken from the first version that was not flipped.

    Models of MMSegmentation, which give no ``seg_prob``, are averaged correctly as well.

    Args:
        module: The model, or its config.
        data_preprocessor: Overrides the model's.

    Example:
        >>> from torch import nn
        >>> module = nn.Identity()
        >>> module.out_channels, module.threshold, module.test_step = 1, 0.5, None
        >>> def prediction(value):
        ...     probability = PixelData(data=torch.full((1, 2, 2), value))
        ...     return SegDataSample(metainfo=dict(img_path='a.png'), seg_prob=probability)
        >>> merged = BlindSRTTAModel(module).merge_preds([[prediction(0.1), prediction(0.5)]])[0]
        >>> round(merged.seg_prob.data[0, 0, 0].item(), 4), merged.pred_sem_seg.data[0, 0, 0].item()
        (0.3, 0)
    """

    def merge_preds(self, data_samples_list: Sequence[Sequence[SegDataSample]]) -> list[SegDataSample]:
        """Merge the predictions of each photo's versions into one sample per photo."""
        return [self._merge(samples) for samples in data_samples_list]

    def _merge(self, samples: Sequence[SegDataSample]) -> SegDataSample:
        merged = _reference(samples).clone()
        prob = _mean([self._probability(sample) for sample in samples])
        fields = dict(seg_prob=prob, seg_logits=_logits(prob), pred_sem_seg=self._prediction(prob))
        if all('sr_img' in sample for sample in samples):
            fields['sr_img'] = _mean([sample.sr_img.data for sample in samples])
        kernels = [s.blur_kernel.data for s in samples if 'blur_kernel' in s and not _is_resized(s)]
        if kernels:
            fields['blur_kernel'] = _mean(kernels)
        merged.set_data({name: PixelData(data=value) for name, value in fields.items()})
        return merged

    def _probability(self, sample: SegDataSample) -> Tensor:
        if 'seg_prob' in sample:
            return sample.seg_prob.data
        scores = sample.seg_logits.data
        # MMSegmentation stores a single channel after the sigmoid, several before the softmax.
        return scores if scores.shape[0] == 1 else class_probabilities(scores)

    def _prediction(self, prob: Tensor) -> Tensor:
        return predicted_labels(prob, crack_threshold(self.module))


def _reference(samples: Sequence[SegDataSample]) -> SegDataSample:
    """The first version whose ground truth and meta information are those of the photo itself."""
    unflipped = [sample for sample in samples if not sample.metainfo.get('flip')]
    return (unflipped or samples)[0]


def _is_resized(sample: SegDataSample) -> bool:
    meta = sample.metainfo
    return tuple(meta.get('img_shape', ())[:2]) != tuple(meta.get('ori_shape', ())[:2])


def _mean(maps: list[Tensor]) -> Tensor:
    return torch.stack(maps).mean(0)


def _logits(prob: Tensor) -> Tensor:
    """Logits whose sigmoid, or softmax over several channels, is ``prob``."""
    if prob.shape[0] == 1:
        return torch.logit(prob, eps=torch.finfo(prob.dtype).eps)
    return prob.clamp(min=torch.finfo(prob.dtype).tiny).log()
