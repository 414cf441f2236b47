"""Step 1 of the training: the SR network alone, on photos of anything."""

from __future__ import annotations

from mmengine.model import BaseModel
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from csbsr_mm.models.data_preprocessor import preprocessor_for
from csbsr_mm.models.utils.checkpoint_check import check_components
from csbsr_mm.models.utils.super_resolution import SuperResolutionMixin
from csbsr_mm.models.utils.training_state import TrainingStateMixin


@MODELS.register_module()
class BlindSRPretrainer(TrainingStateMixin, SuperResolutionMixin, BaseModel):
    """Train an SR network alone, without a segmentor.

    Parameters are named ``sr.*`` as in :class:`BlindSRSegmentor`, which loads the checkpoint with
    ``load_from``.

    Args:
        sr: SR network, e.g. ``dict(type='KBPN')``.
        sr_loss: Its loss, e.g. ``dict(type='BlindSRLoss')``; None for testing only.
        data_preprocessor: Options of :class:`BlindSRDataPreProcessor`, whose scale follows from ``sr``.
        train_cfg: Accepted because MMSegmentation's ``init_model`` sets it; has no effect.
        init_cfg: Initialisation of the whole model.

    Example:
        >>> import torch
        >>> model = BlindSRPretrainer(sr=dict(type='KBPN', num_stages=1, channels=4))
        >>> sr_image, blur_kernel = model(torch.rand(1, 3, 6, 8))
        >>> sr_image.shape
        torch.Size([1, 3, 24, 32])
    """

    def __init__(
        self,
        sr: dict,
        sr_loss: dict | None = None,
        data_preprocessor: dict | nn.Module | None = None,
        train_cfg: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        sr_network = MODELS.build(sr)
        data_preprocessor = preprocessor_for(sr_network.scale, data_preprocessor)
        super().__init__(data_preprocessor=data_preprocessor, init_cfg=init_cfg)
        self.sr = sr_network
        self.sr_loss = MODELS.build(sr_loss) if sr_loss else None
        self.init_training_state(task_weight=0.0)

    def forward(
        self, inputs: Tensor, data_samples: list[SegDataSample] | None = None, mode: str = 'tensor'
    ) -> dict[str, Tensor] | list[SegDataSample] | tuple[Tensor, Tensor | None]:
        """Run in one of MMEngine's modes.

        Args:
            inputs: LR images (B, 3, h, w), RGB in [0, 1].
            data_samples: Samples with ``gt_hr_img`` and ``gt_blur_kernel`` for 'loss'.
            mode: 'loss' gives loss terms, 'predict' samples, 'tensor' SR images and kernels.

        Raises:
            ValueError: An unknown mode.
        """
        if mode == 'loss':
            return self.loss(inputs, data_samples)
        if mode == 'predict':
            return self.predict(inputs, data_samples)
        if mode == 'tensor':
            return self.super_resolve(inputs)
        raise ValueError(f"mode must be 'loss', 'predict' or 'tensor', got {mode!r}")

    def loss(self, inputs: Tensor, data_samples: list[SegDataSample]) -> dict[str, Tensor]:
        """Terms of L_S."""
        targets = self.stack_targets(inputs, data_samples)
        if self.kernel_only:
            return self.kernel_loss(inputs, targets)
        sr_image, blur_kernel = self.super_resolve(inputs, self.known_kernel(targets))
        return self.super_resolution_loss(inputs, sr_image, blur_kernel, targets)

    def predict(self, inputs: Tensor, data_samples: list[SegDataSample] | None = None) -> list[SegDataSample]:
        """SR images and blur kernels, stored in the samples as ``sr_img`` and ``blur_kernel``."""
        if data_samples is None:
            data_samples = [SegDataSample() for _ in range(len(inputs))]
        sr_images, blur_kernels = self.super_resolve(inputs)
        for index, sample in enumerate(data_samples):
            meta = {'ori_shape': tuple(inputs.shape[-2:]), **sample.metainfo}
            size = tuple(self.scale * side for side in meta['ori_shape'][:2])
            kernel = None if blur_kernels is None else blur_kernels[index]
            fields = self.sr_prediction(meta, sr_images[index], kernel, size)
            sample.set_data({name: PixelData(data=value) for name, value in fields.items()})
        return data_samples

    def _load_from_state_dict(self, state_dict: dict, prefix: str, *args, **kwargs) -> None:
        check_components(self, state_dict, prefix)
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)
        self.read_training_state(state_dict, prefix)
