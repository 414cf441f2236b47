"""The super-resolution half of a model: S, what it is compared with, and its loss."""

from __future__ import annotations

import torch
from mmseg.structures import SegDataSample
from torch import Tensor

from .sr_geometry import crop_and_unflip, scale_meta, valid_mask

# MMEngine's log takes every name that ends in "lr" for a learning rate.
TERM_NAMES = dict(hr='hr_image', lr='lr_image')


class SuperResolutionMixin:
    """Training and inference of a model's SR network ``sr`` with its loss ``sr_loss`` (or None).

    Use it with :class:`~csbsr_mm.models.utils.training_state.TrainingStateMixin`, which chooses between the
    true and the predicted blur kernel.
    """

    @property
    def scale(self) -> int:
        """SR pixels per input pixel along each axis."""
        return self.sr.scale

    def super_resolve(
        self, inputs: Tensor, blur_kernel: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """SR image and blur kernel; in evaluation mode the SR image is clipped to [0, 1].

        Args:
            inputs: LR images (B, 3, h, w), RGB in [0, 1].
            blur_kernel: True kernels (B, 1, K, K) to use in place of predicted ones.

        Raises:
            ValueError: ``inputs`` has another shape.
        """
        if inputs.ndim != 4 or inputs.shape[1] != 3:
            raise ValueError(f'inputs must be (B, 3, h, w) RGB in [0, 1], got {tuple(inputs.shape)}')
        trains = torch.is_grad_enabled() and any(p.requires_grad for p in self.sr.parameters())
        with torch.set_grad_enabled(trains):
            sr_image, blur_kernel = self.sr(inputs, blur_kernel)
        if not self.training:
            sr_image = sr_image.clamp(0, 1)
        return sr_image, blur_kernel

    def stack_targets(self, inputs: Tensor, samples: list[SegDataSample]) -> dict[str, Tensor | None]:
        """Ground truth of a batch: ``hr_image``, ``blur_kernel``, ``label`` and the mask ``valid``.

        Raises:
            ValueError: There is an ``sr_loss`` but no HR image to compare with.
        """

        def stack(field: str) -> Tensor | None:
            if not all(field in sample for sample in samples):
                return None
            return torch.stack([sample.get(field).data for sample in samples])

        label = stack('gt_sem_seg')
        valid = valid_mask([sample.metainfo for sample in samples], inputs.shape[-2:], self.scale)
        targets = dict(
            hr_image=stack('gt_hr_img'),
            blur_kernel=stack('gt_blur_kernel'),
            label=None if label is None else label.squeeze(1),
            valid=None if valid is None else valid.to(inputs.device),
        )
        if self.sr_loss is not None and targets['hr_image'] is None:
            raise ValueError(
                'sr_loss compares with HR images, but samples carry no gt_hr_img; '
                'put BlindDegradation and PackBlindSRInputs into the training pipeline'
            )
        return targets

    def known_kernel(self, targets: dict[str, Tensor | None]) -> Tensor | None:
        """The true blur kernel, if this stage of the training feeds it to the SR network.

        Raises:
            ValueError: It should, but there is none.
        """
        if not self.use_gt_kernel:
            return None
        if targets['blur_kernel'] is None:
            raise ValueError(
                'this training stage feeds the true blur kernel, but samples carry no '
                'gt_blur_kernel; train on images degraded by BlindDegradation'
            )
        return targets['blur_kernel']

    def kernel_loss(self, inputs: Tensor, targets: dict[str, Tensor | None]) -> dict[str, Tensor]:
        """The kernel's term of L_S for the first estimate alone: nothing else of the model runs.

        Raises:
            ValueError: The true kernels are not there, or the SR network has no estimate by itself.
        """
        if not hasattr(self.sr, 'estimate_kernel'):
            raise ValueError(
                f'kernel_only=True needs an SR network that estimates kernels, got {type(self.sr).__name__}'
            )
        if self.sr_loss is None or targets['blur_kernel'] is None:
            raise ValueError('kernel_only=True needs an sr_loss, and samples with gt_blur_kernel')
        kernel = self.sr.estimate_kernel(inputs)
        return {'sr.loss_kernel': self.sr_loss.kernel_term(kernel, targets['blur_kernel'])}

    def super_resolution_loss(
        self,
        inputs: Tensor,
        sr_image: Tensor,
        blur_kernel: Tensor | None,
        targets: dict[str, Tensor | None],
        weight: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Terms of L_S by name; ``weight`` (B, 1, H, W) multiplies the image terms per pixel."""
        terms = self.sr_loss(
            sr_image,
            targets['hr_image'],
            inputs,
            blur_kernel,
            targets['blur_kernel'],
            weight=weight,
            valid=targets['valid'],
        )
        return {f'sr.loss_{TERM_NAMES.get(name, name)}': value for name, value in terms.items()}

    def sr_prediction(
        self, meta: dict, image: Tensor, kernel: Tensor | None, size: tuple[int, int]
    ) -> dict[str, Tensor]:
        """One image's ``sr_img`` (3, *size), and ``blur_kernel`` (1, K, K) of a blind network.

        Args:
            meta: The sample's meta information, in LR pixels; padding and flips are undone.
            image: SR image (3, H, W).
            kernel: Blur kernel (1, K, K) or None.
            size: Height and width to return.
        """
        meta = scale_meta(meta, self.scale)
        fields = dict(sr_img=crop_and_unflip(image, meta, size, False).clamp(0, 1))
        if kernel is not None:
            unpadded = {key: value for key, value in meta.items() if 'padding' not in key}
            fields['blur_kernel'] = crop_and_unflip(kernel, unpadded, tuple(kernel.shape[-2:]), False)
        return fields
