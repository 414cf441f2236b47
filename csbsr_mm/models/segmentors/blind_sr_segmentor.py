"""Joint blind super-resolution and segmentation: an SR network in front of any segmentor."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import NamedTuple

from mmengine.config import ConfigDict
from mmengine.structures import PixelData
from mmseg.models import BaseSegmentor
from mmseg.models.utils import resize
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from csbsr_mm.models.data_preprocessor import preprocessor_for
from csbsr_mm.models.utils.checkpoint_check import check_components
from csbsr_mm.models.utils.classifier_tap import ClassifierTap, last_decode_head
from csbsr_mm.models.utils.image_normalization import ImageNormalization
from csbsr_mm.models.utils.loss_terms import weighted
from csbsr_mm.models.utils.segmentation_result import segmentation_result
from csbsr_mm.models.utils.sr_geometry import crop_and_unflip, scale_meta, valid_mask
from csbsr_mm.models.utils.super_resolution import SuperResolutionMixin
from csbsr_mm.models.utils.training_state import TrainingStateMixin
from csbsr_mm.utils.checks import check_choice


class BlindSROutputs(NamedTuple):
    """Outputs for LR images: ``sr_image`` (B, 3, sh, sw), ``seg_logits`` (B, C, sh, sw)
    and ``blur_kernel`` (B, 1, K, K) or None.
    """

    sr_image: Tensor
    seg_logits: Tensor
    blur_kernel: Tensor | None


@MODELS.register_module()
class BlindSRSegmentor(TrainingStateMixin, SuperResolutionMixin, BaseSegmentor):
    """CSBSR: a blind SR network and a segmentor of its SR images, trained jointly.

    The SR network S maps an LR image to an SR image and the blur kernel that degraded it; the
    segmentor C, any MMSegmentation segmentor with per-pixel heads, maps the normalised SR image to
    logits at SR size. Training minimises, with the task weight β (Eq. 2 of the paper),

        L = (1 - β) L_S + β L_C.

    L_C is the sum of the losses of the segmentor's heads (``loss_decode``), auxiliary heads included. L_S may
    be weighted per pixel by maps that depend on the cracks (Table V). With β = 0 the segmentor is not run.

    Args:
        sr: SR network, e.g. ``dict(type='KBPN')``.
        segmentor: Segmentor that receives SR images, e.g. ``_base_.model`` of an MMSegmentation config.
            Its ``data_preprocessor`` is dropped: ``normalize`` takes its place.
        sr_loss: ``dict(type='BlindSRLoss')`` or None, when S is not trained (β = 1).
        sr_loss_weights: Maps that multiply the image terms of L_S, e.g.
            ``[dict(type='FailOrientedWeight', m=1.0)]``.
        task_weight: β in [0, 1]; hooks may move it.
        normalize: 'instance', 'dataset', 'imagenet' or None, see :class:`ImageNormalization`.
        blur_skip: Module that conditions the segmentor's last features on the blur kernel, e.g.
            ``dict(type='BlurSkipNeck')``; needs a blind ``sr``.
        classifier: Name of the module inside the (last) decode head that makes the logits.
        threshold: Probability above which a pixel is crack, for segmentors with one output channel.
        output_size: 'sr' gives results at ``scale`` times the input size, 'input' at the input's size.
        data_preprocessor: Options of :class:`BlindSRDataPreProcessor`, whose scale follows from ``sr``.
        pretrained: Checkpoint to start from, as in MMSegmentation's segmentors.
        train_cfg: Accepted because MMSegmentation's ``init_model`` sets it; has no effect.
        test_cfg: Likewise; the segmentor's own ``test_cfg`` chooses whole or sliding inference.
        init_cfg: Initialisation of the whole model.

    Raises:
        ValueError: A value is outside its range, or ``blur_skip`` is asked of an SR network that
            estimates no kernel.
        TypeError: The segmentor's head has no per-pixel classifier, and the blur skip or a weight needs it.

    Reference:
        Kondo and Ukita, "Joint Learning of Blind Super-Resolution and Crack Segmentation for Realistic
        Degraded Images", IEEE TIM 2024.
    """

    def __init__(
        self,
        sr: dict,
        segmentor: dict,
        sr_loss: dict | None = None,
        sr_loss_weights: list[dict] | tuple = (),
        task_weight: float = 0.5,
        normalize: str | None = 'instance',
        blur_skip: dict | None = None,
        classifier: str = 'conv_seg',
        threshold: float = 0.5,
        output_size: str = 'sr',
        data_preprocessor: dict | nn.Module | None = None,
        pretrained: str | None = None,
        train_cfg: dict | None = None,
        test_cfg: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        if pretrained is not None:
            init_cfg = dict(type='Pretrained', checkpoint=pretrained)
        sr_network = MODELS.build(sr)
        data_preprocessor = preprocessor_for(sr_network.scale, data_preprocessor)
        super().__init__(data_preprocessor=data_preprocessor, init_cfg=init_cfg)
        check_choice('output_size', output_size, ('sr', 'input'))
        if not 0 <= threshold < 1:
            raise ValueError(f'threshold must be a probability in [0, 1), got {threshold}')
        self.sr = sr_network
        self.segmentor = MODELS.build(ConfigDict({**segmentor, 'data_preprocessor': None}))
        self.normalize = ImageNormalization(normalize)
        self.blur_skip = MODELS.build(blur_skip) if blur_skip else None
        if self.blur_skip is not None and self.sr.kernel_size is None:
            raise ValueError(f'blur_skip needs a blur kernel, and {type(self.sr).__name__} estimates none')
        self.sr_loss = MODELS.build(sr_loss) if sr_loss else None
        self.sr_loss_weights = nn.ModuleList(MODELS.build(weight) for weight in sr_loss_weights)
        needs_tap = self.blur_skip is not None or any(w.needs_logits for w in self.sr_loss_weights)
        self.tap = ClassifierTap(self.segmentor, classifier) if needs_tap else None
        self.threshold = threshold
        self.output_size = output_size
        self.init_training_state(task_weight)
        self._check_scale()

    def _check_scale(self) -> None:
        preprocessor_scale = getattr(self.data_preprocessor, 'scale', self.sr.scale)
        if preprocessor_scale != self.sr.scale:
            raise ValueError(
                f'the data preprocessor has scale={preprocessor_scale} but the SR network '
                f'{type(self.sr).__name__} has scale={self.sr.scale}; give both the same'
            )

    # What MMSegmentation's APIs ask of a segmentor.

    @property
    def decode_head(self) -> nn.Module:
        """The (last) decode head of the wrapped segmentor."""
        return last_decode_head(self.segmentor)

    @property
    def align_corners(self) -> bool:
        """How logits are resized."""
        return self.segmentor.align_corners

    @property
    def num_classes(self) -> int:
        """Number of classes of the wrapped segmentor."""
        return self.segmentor.num_classes

    @property
    def out_channels(self) -> int:
        """Number of logits per pixel."""
        return self.segmentor.out_channels

    def extract_feat(self, inputs: Tensor) -> list[Tensor]:
        """Features of the segmentor's backbone for LR images in [0, 1]."""
        sr_image, _ = self.super_resolve(inputs)
        return self.segmentor.extract_feat(self.normalize(sr_image))

    def encode_decode(self, inputs: Tensor, batch_img_metas: list[dict]) -> Tensor:
        """Logits at SR size for LR images in [0, 1]; ``batch_img_metas`` speak of LR pixels."""
        return self._predict_logits(inputs, batch_img_metas).seg_logits

    def conditioned(self, blur_kernel: Tensor | None) -> AbstractContextManager[ClassifierTap | None]:
        """Within this context the blur skip, if there is one, conditions what enters the classifier.

        Args:
            blur_kernel: (B, 1, K, K) for the blur skip; None where the model has none.

        Returns:
            Context that gives access to the logits; to None where nothing needs them.
        """
        if self.tap is None:
            return nullcontext()
        condition = None if self.blur_skip is None else partial(self.blur_skip, blur_kernel=blur_kernel)
        return self.tap.listen(condition)

    # Training.

    def loss(self, inputs: Tensor, data_samples: list[SegDataSample]) -> dict[str, Tensor]:
        """Loss terms of one batch, weighted by β; ``raw_*`` entries are the same before weighting."""
        targets = self.stack_targets(inputs, data_samples)
        if self.kernel_only:
            return self.kernel_loss(inputs, targets)
        sr_image, blur_kernel = self.super_resolve(inputs, self.known_kernel(targets))
        losses: dict[str, Tensor] = {}
        weight = None
        if self.task_weight > 0:
            seg_losses, weight = self._segmentation_loss(sr_image, blur_kernel, data_samples, targets)
            losses.update(weighted(seg_losses, self.task_weight))
        elif len(self.sr_loss_weights):
            weight = self._sr_loss_weight(targets['label'], None)
        if self.sr_loss is not None:
            sr_losses = self.super_resolution_loss(inputs, sr_image, blur_kernel, targets, weight)
            losses.update(weighted(sr_losses, 1 - self.task_weight))
        return losses

    def _segmentation_loss(
        self,
        sr_image: Tensor,
        blur_kernel: Tensor | None,
        samples: list[SegDataSample],
        targets: dict[str, Tensor | None],
    ) -> tuple[dict[str, Tensor], Tensor | None]:
        """The segmentor's losses and the map that weights L_S."""
        image = self.normalize(sr_image, targets['valid'])
        sr_samples = [self._in_sr_pixels(sample) for sample in samples]
        with self.conditioned(blur_kernel) as tap:
            losses = self.segmentor.loss(image, sr_samples)
            weight = None
            if len(self.sr_loss_weights):
                logits = None
                if tap is not None:
                    logits = resize(
                        tap.logits.detach(),
                        targets['label'].shape[-2:],
                        mode='bilinear',
                        align_corners=self.align_corners,
                    )
                weight = self._sr_loss_weight(targets['label'], logits)
        return losses, weight

    def _sr_loss_weight(self, label: Tensor | None, seg_logits: Tensor | None) -> Tensor | None:
        """Product (B, 1, H, W) of all weight maps that can be computed, or None.

        Without logits, while the segmentor does not run, only maps made from the label alone apply.
        """
        if label is None:
            raise ValueError('sr_loss_weights need masks, but samples carry no gt_sem_seg')
        seg_loss = getattr(self.decode_head, 'loss_decode', None)
        product = None
        for weight in self.sr_loss_weights:
            if seg_logits is None and weight.needs_logits:
                continue
            weight_map = weight(label, seg_logits, seg_loss)
            product = weight_map if product is None else product * weight_map
        return product

    def _in_sr_pixels(self, sample: SegDataSample) -> SegDataSample:
        """A copy of the sample whose meta information counts SR pixels."""
        copy = SegDataSample(metainfo=scale_meta(sample.metainfo, self.scale))
        copy.set_data(dict(sample.items()))
        return copy

    # Inference.

    def predict(
        self,
        inputs: Tensor,
        data_samples: list[SegDataSample] | None = None,
        output_size: str | None = None,
    ) -> list[SegDataSample]:
        """Predictions, stored in the samples.

        Args:
            inputs: LR images (B, 3, h, w), RGB in [0, 1].
            data_samples: One sample per image, or None.
            output_size: 'sr' or 'input', in place of the model's own setting.

        Returns:
            Samples with ``seg_logits`` and ``seg_prob`` (C, H, W), ``pred_sem_seg`` (1, H, W), ``sr_img``
            (3, H, W) RGB in [0, 1] and, from a blind SR network, ``blur_kernel`` (1, K, K).
        """
        if data_samples is None:
            data_samples = [SegDataSample() for _ in range(len(inputs))]
        size = tuple(inputs.shape[-2:])
        metas = [
            {'ori_shape': size, 'img_shape': size, 'pad_shape': size, **sample.metainfo}
            for sample in data_samples
        ]
        outputs = self._predict_logits(inputs, metas)
        factor = self.scale if (output_size or self.output_size) == 'sr' else 1
        for index, (sample, meta) in enumerate(zip(data_samples, metas, strict=True)):
            kernel = None if outputs.blur_kernel is None else outputs.blur_kernel[index]
            fields = self._prediction(
                meta, outputs.sr_image[index], outputs.seg_logits[index], kernel, factor
            )
            sample.set_data({name: PixelData(data=value) for name, value in fields.items()})
        return data_samples

    def _predict_logits(self, inputs: Tensor, metas: list[dict]) -> BlindSROutputs:
        sr_image, blur_kernel = self.super_resolve(inputs)
        return BlindSROutputs(sr_image, self.segment(sr_image, blur_kernel, metas), blur_kernel)

    def segment(
        self,
        sr_image: Tensor,
        blur_kernel: Tensor | None,
        metas: list[dict],
        statistics: tuple[Tensor, Tensor] | None = None,
    ) -> Tensor:
        """Segment SR images that are given, as S would have made them.

        Args:
            sr_image: (B, 3, sh, sw), RGB in [0, 1].
            blur_kernel: (B, 1, K, K) for the blur skip; None where the model has none.
            metas: Meta information of each image, in LR pixels.
            statistics: Mean and variance per channel, each (3,), to normalise by; those of each image,
                over what is no padding, by default.

        Returns:
            Logits (B, C, sh, sw).
        """
        size = tuple(side // self.scale for side in sr_image.shape[-2:])
        valid = valid_mask(metas, size, self.scale)
        image = self.normalize(sr_image, None if valid is None else valid.to(sr_image.device), statistics)
        with self.conditioned(blur_kernel):
            return self.segmentor.inference(image, [scale_meta(meta, self.scale) for meta in metas])

    def _prediction(
        self, meta: dict, image: Tensor, logits: Tensor, kernel: Tensor | None, factor: int
    ) -> dict[str, Tensor]:
        """Everything that a sample gets: padding and flips undone, ``factor`` times the photo's size."""
        size = tuple(factor * side for side in meta['ori_shape'][:2])
        fields = self.sr_prediction(meta, image, kernel, size)
        logits = crop_and_unflip(logits, scale_meta(meta, self.scale), size, self.align_corners)
        return {**fields, **segmentation_result(logits, self.threshold)}

    def _forward(self, inputs: Tensor, data_samples: list[SegDataSample] | None = None) -> BlindSROutputs:
        """Raw network outputs for LR images in [0, 1], logits at SR size."""
        sr_image, blur_kernel = self.super_resolve(inputs)
        with self.conditioned(blur_kernel):
            logits = self.segmentor(self.normalize(sr_image), mode='tensor')
        logits = resize(logits, sr_image.shape[-2:], mode='bilinear', align_corners=self.align_corners)
        return BlindSROutputs(sr_image, logits, blur_kernel)

    def _load_from_state_dict(self, state_dict: dict, prefix: str, *args, **kwargs) -> None:
        check_components(self, state_dict, prefix)
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)
        self.read_training_state(state_dict, prefix)
