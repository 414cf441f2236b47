"""Dual super-resolution learning: segment a low-resolution image above its own resolution."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from mmengine.structures import PixelData
from mmseg.models import EncoderDecoder
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from mmseg.utils import add_prefix
from torch import Tensor, nn

from csbsr_mm.models.utils.checkpoint_check import check_components
from csbsr_mm.models.utils.image_normalization import ImageNormalization
from csbsr_mm.models.utils.segmentation_result import segmentation_result
from csbsr_mm.models.utils.sr_geometry import crop_and_unflip, scale_meta, valid_mask

from .blind_sr_segmentor import BlindSROutputs


@MODELS.register_module()
class DSRL(EncoderDecoder):
    r"""One encoder, two decoders: segmentation and super-resolution, both at ``scale`` times the input.

    Takes LR images and HR targets as :class:`BlindSRSegmentor` does and stores the same predictions, but
    nothing here models the blur: the super-resolution branch only teaches the shared encoder details.
    Training minimises

    .. math::
        L = L_{seg} + w_1 \, \mathrm{MSE}(I^{SR}, I^{HR}) + w_2 \, L_{fa},

    with the affinity between the branches' features, :class:`FeatureAffinityLoss`, as L_fa.

    Args:
        backbone: backbone whose first output has a quarter of the image's resolution.
        decode_head: segmentation branch, ``dict(type='DSRLHead', ...)``.
        sr_head: super-resolution branch, ``dict(type='DSRLReconstructionHead', ...)``.
        scale: output pixels per input pixel along each axis; both branches must end there.
        sr_loss_weight: w_1, weight of the SR image's mean squared error over pixels that are no padding.
        affinity_loss: ``dict(type='FeatureAffinityLoss', loss_weight=w_2)``, or None to leave it out.
        normalize: how the LR image is normalised for the backbone, see :class:`ImageNormalization`.
        data_preprocessor: usually ``dict(type='BlindSRDataPreProcessor', scale=4)``.
        **kwargs: as in MMSegmentation's ``EncoderDecoder``; sliding-window inference is not offered.

    Raises:
        ValueError: the preprocessor has another scale, or ``test_cfg`` asks for sliding windows.

    Reference:
        Wang et al., "Dual Super-Resolution Learning for Semantic Segmentation", CVPR 2020, Eq. 1-5.
    """

    def __init__(
        self,
        backbone: dict,
        decode_head: dict,
        sr_head: dict,
        scale: int = 4,
        sr_loss_weight: float = 0.1,
        affinity_loss: dict | None = None,
        normalize: str | None = 'imagenet',
        data_preprocessor: dict | nn.Module | None = None,
        test_cfg: dict | None = None,
        **kwargs,
    ) -> None:
        test_cfg = test_cfg or dict(mode='whole')
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
        self.scale = scale
        self.sr_loss_weight = sr_loss_weight
        self.normalize = ImageNormalization(normalize)
        self.sr_head = MODELS.build(sr_head)
        self.affinity_loss = MODELS.build(affinity_loss) if affinity_loss else None
        if self.affinity_loss is not None:
            channels = self.sr_head.reconstruct.in_channels
            self.feature_transform = ConvModule(
                self.decode_head.conv_seg.in_channels, channels, 1, norm_cfg=self.decode_head.norm_cfg
            )

    def extract_feat(self, inputs: Tensor) -> list[Tensor]:
        """Backbone features of LR images (B, 3, h, w) in [0, 1]."""
        return super().extract_feat(self.normalize(inputs))

    def encode_decode(self, inputs: Tensor, batch_img_metas: list[dict]) -> Tensor:
        """Logits (B, C, sh, sw) of LR images."""
        return self._forward(inputs).seg_logits

    def loss(self, inputs: Tensor, data_samples: list[SegDataSample]) -> dict[str, Tensor]:
        """Loss terms of one batch of LR images with HR masks and images."""
        features = self.extract_feat(inputs)
        shared = self.decode_head.encode(features)
        seg_feature = self.decode_head.decode(shared, features)
        sr_image, sr_feature = self.sr_head(shared, features)
        logits = self._crop(self.decode_head.cls_seg(seg_feature), inputs)
        losses = add_prefix(self.decode_head.loss_by_feat(logits, data_samples), 'decode')
        losses['sr.loss_mse'] = self.sr_loss_weight * self._sr_loss(
            self._crop(sr_image, inputs), data_samples
        )
        if self.affinity_loss is not None:
            affinity = self.affinity_loss(self.feature_transform(seg_feature), sr_feature)
            losses[self.affinity_loss.loss_name] = affinity
        if self.with_auxiliary_head:
            losses.update(self._auxiliary_head_forward_train(features, data_samples))
        return losses

    def _sr_loss(self, sr_image: Tensor, samples: list[SegDataSample]) -> Tensor:
        if not all('gt_hr_img' in sample for sample in samples):
            raise ValueError(
                'DSRL learns from HR images, but samples carry no gt_hr_img; put BlindDegradation and '
                'PackBlindSRInputs into the training pipeline'
            )
        hr_image = torch.stack([sample.gt_hr_img.data for sample in samples])
        size = [side // self.scale for side in sr_image.shape[-2:]]
        valid = valid_mask([sample.metainfo for sample in samples], size, self.scale)
        if valid is None:
            return F.mse_loss(sr_image, hr_image)
        weight = valid.to(sr_image)
        squared_error = (sr_image - hr_image).square() * weight
        return squared_error.sum() / (sr_image.shape[1] * weight.sum())

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
        features = self.extract_feat(inputs)
        shared = self.decode_head.encode(features)
        logits = self.decode_head.cls_seg(self.decode_head.decode(shared, features))
        sr_image, _ = self.sr_head(shared, features)
        if not self.training:
            sr_image = sr_image.clamp(0, 1)
        return BlindSROutputs(self._crop(sr_image, inputs), self._crop(logits, inputs), None)

    def _crop(self, output: Tensor, inputs: Tensor) -> Tensor:
        """Cut off what rounding up odd sizes in the backbone added at the right and at the bottom.

        Raises:
            ValueError: a branch does not end at ``scale`` times the input.
        """
        height, width = (self.scale * side for side in inputs.shape[-2:])
        surplus = (output.shape[-2] - height, output.shape[-1] - width)
        if not all(0 <= extra < 4 * self.scale for extra in surplus):
            raise ValueError(
                f'a branch of DSRL gives {tuple(output.shape[-2:])} for {tuple(inputs.shape[-2:])} pixels at '
                f'scale {self.scale}; its up_channels must double a quarter of the input up to there'
            )
        return output[..., :height, :width]

    def _load_from_state_dict(self, state_dict: dict, prefix: str, *args, **kwargs) -> None:
        check_components(self, state_dict, prefix)
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)
