"""Dual super-resolution learning: segment a low-resolution image above its own resolution."""

from __future__ import annotations

from typing import NamedTuple

import torch
from mmcv.cnn import build_norm_layer
from mmengine.structures import PixelData
from mmseg.models import EncoderDecoder
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from mmseg.utils import add_prefix
from torch import Tensor, nn
from torch.nn.functional import interpolate

from csbsr_mm.functional.probability import class_probabilities
from csbsr_mm.models.data_preprocessor import preprocessor_for
from csbsr_mm.models.utils.checkpoint_check import check_components
from csbsr_mm.models.utils.image_normalization import ImageNormalization
from csbsr_mm.models.utils.segmentation_result import segmentation_result
from csbsr_mm.models.utils.sr_geometry import crop_and_unflip, scale_meta, valid_mask
from csbsr_mm.models.utils.training_state import TrainingStateMixin
from csbsr_mm.utils.checks import check_choice

from .blind_sr_segmentor import BlindSROutputs


class Branches(NamedTuple):
    """Outputs of both branches at their own resolution: ``probability`` (B, C, H, W), and ``sr_image``
    (B, 3, H', W'), which is as large where the LR image's sides are multiples of 4.
    """

    probability: Tensor
    sr_image: Tensor


@MODELS.register_module()
class DSRL(TrainingStateMixin, EncoderDecoder):
    r"""One encoder, two decoders: segmentation and super-resolution of an LR image (Table II c).

    Takes LR images and HR targets as :class:`BlindSRSegmentor` does and stores the same predictions, but
    nothing here models the blur: the super-resolution branch only teaches the shared encoder details.
    Training minimises

    .. math::
        L = w_1 \, |I^{SR} - I^{HR}| + w_2 L_{fa} + L_{seg},

    with the affinity between both outputs, :class:`FeatureAffinityLoss`, as L_fa. While the task weight
    is 0, the loss is :math:`|I^{SR} - I^{HR}|` alone.

    The network is the one that the authors of CSBSR released. Probabilities are computed at a quarter of
    the LR image and enlarged to its size, then to the size at which the branches end (twice or four times
    the LR image, ``sr_head.up_channels``), then to ``scale`` times, always bilinearly with aligned
    corners. Logits are the log-odds of these probabilities. An SR image at twice the size is enlarged in
    the same way.

    Args:
        backbone: Backbone whose first output has a quarter of the image's resolution.
        decode_head: Segmentation branch, ``dict(type='DSRLHead', ...)``.
        sr_head: Super-resolution branch, ``dict(type='DSRLReconstructionHead', ...)``.
        scale: Output pixels per input pixel along each axis.
        sr_loss: 'l1' (released) or 'l2', over pixels that are no padding.
        sr_loss_weight: W_1.
        affinity_loss: ``dict(type='FeatureAffinityLoss', loss_weight=w_2)``, or None to leave it out.
        last_resize: 'bilinear' or 'bicubic', how branches that end below ``scale`` are enlarged to it.
        normalize: How the LR image is normalised for the backbone, see :class:`ImageNormalization`; the
            released network takes it as it is.
        task_weight: 0 trains the super-resolution branch alone, any other value everything.
        data_preprocessor: Options of :class:`BlindSRDataPreProcessor`, whose scale is ``scale``.
        **kwargs: As in MMSegmentation's ``EncoderDecoder``; sliding-window inference is not offered.

    Raises:
        ValueError: A value is outside its range, or ``test_cfg`` asks for sliding windows.

    Reference:
        Wang et al., "Dual Super-Resolution Learning for Semantic Segmentation", CVPR 2020.
    """

    def __init__(
        self,
        backbone: dict,
        decode_head: dict,
        sr_head: dict,
        scale: int = 4,
        sr_loss: str = 'l1',
        sr_loss_weight: float = 0.5,
        affinity_loss: dict | None = None,
        last_resize: str = 'bilinear',
        normalize: str | None = None,
        task_weight: float = 1.0,
        data_preprocessor: dict | nn.Module | None = None,
        test_cfg: dict | None = None,
        **kwargs,
    ) -> None:
        test_cfg = test_cfg or dict(mode='whole')
        data_preprocessor = preprocessor_for(scale, data_preprocessor)
        super().__init__(
            backbone, decode_head, data_preprocessor=data_preprocessor, test_cfg=test_cfg, **kwargs
        )
        if test_cfg.get('mode', 'whole') != 'whole':
            raise ValueError(
                f"DSRL predicts whole images, got test_cfg={dict(test_cfg)}; use dict(mode='whole')"
            )
        if getattr(self.data_preprocessor, 'scale', scale) != scale:
            raise ValueError(
                f'the data preprocessor has scale={self.data_preprocessor.scale} but DSRL has scale={scale}'
            )
        check_choice('sr_loss', sr_loss, ('l1', 'l2'))
        self.scale = scale
        self.sr_loss, self.sr_loss_weight = sr_loss, sr_loss_weight
        self.last_resize = last_resize
        self.normalize = ImageNormalization(normalize)
        self.sr_head = MODELS.build(sr_head)
        if self.sr_head.scale not in (2, scale):
            raise ValueError(
                f'the branches of DSRL must end at 2 or at scale={scale} times the LR image; '
                f'{len(self.sr_head.steps)} steps of sr_head.up_channels end at {self.sr_head.scale} times'
            )
        self.affinity_loss = MODELS.build(affinity_loss) if affinity_loss else None
        if self.affinity_loss is not None:
            norm = build_norm_layer(self.decode_head.norm_cfg or dict(type='BN'), 3)[1]
            self.affinity_features = nn.Sequential(nn.Conv2d(self.out_channels, 3, 1), norm, nn.ReLU())
        self.init_training_state(task_weight)

    def parts(self) -> dict[str, list[nn.Module]]:
        """Named parts that a schedule can freeze."""
        return {name: [getattr(self, name)] for name in ('backbone', 'decode_head', 'sr_head')}

    def extract_feat(self, inputs: Tensor) -> list[Tensor]:
        """Backbone features of LR images (B, 3, h, w) in [0, 1]."""
        return super().extract_feat(self.normalize(inputs))

    def encode_decode(self, inputs: Tensor, batch_img_metas: list[dict]) -> Tensor:
        """Logits (B, C, sh, sw) of LR images."""
        return self._forward(inputs).seg_logits

    def loss(self, inputs: Tensor, data_samples: list[SegDataSample]) -> dict[str, Tensor]:
        """Loss terms of one batch of LR images with HR masks and images."""
        features = self.extract_feat(inputs)
        branches = self._branches(inputs, features)
        sr_loss = self._sr_loss(self._enlarged(branches.sr_image, inputs), data_samples)
        if self.task_weight == 0:
            return {f'sr.loss_{self.sr_loss}': sr_loss}
        logits = self._logits(branches.probability, inputs)
        losses = add_prefix(self.decode_head.loss_by_feat(logits, data_samples), 'decode')
        losses[f'sr.loss_{self.sr_loss}'] = self.sr_loss_weight * sr_loss
        if self.affinity_loss is not None:
            seg_feature = self.affinity_features(branches.probability)
            losses[self.affinity_loss.loss_name] = self.affinity_loss(seg_feature, branches.sr_image)
        if self.with_auxiliary_head:
            losses.update(self._auxiliary_head_forward_train(features, data_samples))
        return losses

    def _sr_loss(self, sr_image: Tensor, samples: list[SegDataSample]) -> Tensor:
        if not all('gt_hr_img' in sample for sample in samples):
            raise ValueError(
                'DSRL learns from HR images, but samples carry no gt_hr_img; put BlindDegradation and '
                'PackBlindSRInputs into the training pipeline'
            )
        difference = sr_image - torch.stack([sample.gt_hr_img.data for sample in samples])
        error = difference.abs() if self.sr_loss == 'l1' else difference.square()
        size = [side // self.scale for side in sr_image.shape[-2:]]
        valid = valid_mask([sample.metainfo for sample in samples], size, self.scale)
        if valid is None:
            return error.mean()
        weight = valid.to(error)
        return (error * weight).sum() / (error.shape[1] * weight.sum())

    def predict(self, inputs: Tensor, data_samples: list[SegDataSample] | None = None) -> list[SegDataSample]:
        """Predictions, stored in the samples.

        Returns:
            Samples with ``seg_logits`` and ``seg_prob`` (C, H, W), ``pred_sem_seg`` (1, H, W) and ``sr_img``
            (3, H, W) RGB in [0, 1].
        """
        outputs = self._forward(inputs)
        if data_samples is None:
            data_samples = [SegDataSample() for _ in range(len(inputs))]
        for sample, image, logits in zip(data_samples, outputs.sr_image, outputs.seg_logits, strict=True):
            self._store_prediction(sample, image, logits, inputs.shape[-2:])
        return data_samples

    def _store_prediction(
        self, sample: SegDataSample, image: Tensor, logits: Tensor, input_size: tuple[int, int]
    ) -> None:
        """Undo padding and flips and put everything into the sample."""
        meta = scale_meta({'ori_shape': tuple(input_size), **sample.metainfo}, self.scale)
        size = meta['ori_shape'][:2]
        logits = crop_and_unflip(logits, meta, size, self.align_corners)
        image = crop_and_unflip(image, meta, size, False)
        fields = dict(sr_img=image, **segmentation_result(logits, self.decode_head.threshold))
        sample.set_data({name: PixelData(data=value) for name, value in fields.items()})

    def _forward(self, inputs: Tensor, data_samples: list[SegDataSample] | None = None) -> BlindSROutputs:
        """SR image, clipped in evaluation, and logits at ``scale`` times the size of LR images in [0, 1]."""
        branches = self._branches(inputs, self.extract_feat(inputs))
        sr_image = self._enlarged(branches.sr_image, inputs)
        if not self.training:
            sr_image = sr_image.clamp(0, 1)
        return BlindSROutputs(sr_image, self._logits(branches.probability, inputs), None)

    def _branches(self, inputs: Tensor, features: list[Tensor]) -> Branches:
        """Both outputs at the resolution at which the branches end."""
        shared = self.decode_head.encode(features)
        probability = class_probabilities(self.decode_head.decode(shared, features))
        size = tuple(inputs.shape[-2:])
        probability = _resize(probability, size)
        probability = _resize(probability, _times(size, self.sr_head.scale))
        return Branches(probability, self.sr_head(shared, features))

    def _logits(self, probability: Tensor, inputs: Tensor) -> Tensor:
        """Log-odds of one probability, or logarithms of several, at ``scale`` times the input's size."""
        probability = self._enlarged(probability, inputs)
        # In half precision a probability near 1 is 1.
        probability = probability.to(torch.promote_types(probability.dtype, torch.float32))
        smallest = torch.finfo(probability.dtype).eps
        if self.out_channels == 1:
            return torch.logit(probability, smallest)
        return probability.clamp_min(smallest).log()

    def _enlarged(self, output: Tensor, inputs: Tensor) -> Tensor:
        """An output at ``scale`` times the input's size.

        Branches that end there already may be larger, where the backbone rounded odd sizes up; the
        surplus at the right and at the bottom is cut off.
        """
        height, width = _times(inputs.shape[-2:], self.scale)
        if self.sr_head.scale == self.scale:
            return output[..., :height, :width]
        return _resize(output, (height, width), self.last_resize)

    def _load_from_state_dict(self, state_dict: dict, prefix: str, *args, **kwargs) -> None:
        check_components(self, state_dict, prefix)
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)
        self.read_training_state(state_dict, prefix)


def _resize(x: Tensor, size: tuple[int, int], mode: str = 'bilinear') -> Tensor:
    return interpolate(x, size, mode=mode, align_corners=True)


def _times(size: tuple[int, int] | torch.Size, scale: int) -> tuple[int, int]:
    return size[0] * scale, size[1] * scale
