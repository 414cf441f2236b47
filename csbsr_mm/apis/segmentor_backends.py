"""Models of MMSegmentation as the inferencer's backends."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from mmseg.structures import SegDataSample
from numpy.typing import NDArray
from torch import Tensor, nn

from csbsr_mm.functional.probability import crack_probability, select_crack
from csbsr_mm.models.segmentors import BlindSRSegmentor
from csbsr_mm.models.utils.classifier_tap import crack_threshold

from .backend import Backend, SharingBackend, Statistics, TileOutputs


class SegmentorBackend(Backend):
    """Any segmentor of MMSegmentation: no super-resolution, each tile on its own.

    Tiles have the photo's resolution; the resizing in the config's test pipeline is not applied.

    Args:
        model: The segmentor, in evaluation mode.
        crack_class: Channel of the crack among several classes; None finds it.

    Raises:
        ValueError: Which of several classes is the crack cannot be known.
    """

    def __init__(self, model: nn.Module, crack_class: int | None = None) -> None:
        self.model = model
        self.crack_class = _crack_class(model, crack_class)
        self.threshold = crack_threshold(model)

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return next(self.model.parameters()).device

    @torch.no_grad()
    def run(self, tiles: NDArray[np.float32]) -> TileOutputs:
        """Predict tiles (B, h, w, 3), RGB in [0, 1], each by itself."""
        size = tiles.shape[1:3]
        images = torch.from_numpy(255 * tiles[..., ::-1].transpose(0, 3, 1, 2).copy())
        samples = [SegDataSample(metainfo=dict(ori_shape=size, img_shape=size)) for _ in images]
        data = self.model.data_preprocessor(dict(inputs=list(images), data_samples=samples), False)
        inputs = data['inputs']
        meta = dict(ori_shape=size, img_shape=inputs.shape[-2:], pad_shape=inputs.shape[-2:])
        logits = self.model.encode_decode(inputs, [meta] * len(images))
        logits = logits[..., : size[0], : size[1]]
        return TileOutputs(_to_numpy(crack_probability(logits, self.crack_class)), None, None)


class RestoringBackend(SegmentorBackend):
    """A segmentor that gives an SR image beside the mask, such as DSRL: each tile on its own.

    Args:
        model: The model, in evaluation mode; has a ``scale`` and predicts ``sr_img``.
        crack_class: Channel of the crack among several classes.
    """

    restores = True

    def __init__(self, model: nn.Module, crack_class: int | None = None) -> None:
        super().__init__(model, crack_class)
        self.scale = model.scale
        self.divisor = getattr(model.data_preprocessor, 'size_divisor', 1)

    @torch.no_grad()
    def run(self, tiles: NDArray[np.float32]) -> TileOutputs:
        """Predict tiles (B, h, w, 3), RGB in [0, 1], each by itself, exactly as ``model.predict`` does."""
        inputs, padding = _pad(_to_tensor(tiles, self.device), self.divisor)
        size = tiles.shape[1:3]
        meta = dict(ori_shape=size, img_shape=size, pad_shape=inputs.shape[-2:], padding_size=padding)
        samples = self._predict(inputs, [SegDataSample(metainfo=meta) for _ in tiles])
        stack = partial(_stack, samples)
        probability = select_crack(stack('seg_prob'), self.crack_class)
        kernels = _to_numpy(stack('blur_kernel'))[..., 0] if 'blur_kernel' in samples[0] else None
        return TileOutputs(_to_numpy(probability), _to_numpy(stack('sr_img')), kernels)

    def _predict(self, inputs: Tensor, samples: list[SegDataSample]) -> list[SegDataSample]:
        return self.model.predict(inputs, samples)


class BlindSRBackend(RestoringBackend, SharingBackend):
    """A blind SR segmentor: its two networks together, or one after the other on a whole photo.

    Args:
        model: The model, in evaluation mode.
        crack_class: Channel of the crack among several classes.
    """

    shares = True

    def _predict(self, inputs: Tensor, samples: list[SegDataSample]) -> list[SegDataSample]:
        # Tiles are put together at SR size, whatever the config gives to single photos.
        return self.model.predict(inputs, samples, output_size='sr')

    @property
    def is_blind(self) -> bool:
        """Whether a blur kernel is estimated."""
        return self.model.sr.kernel_size is not None

    @property
    def needs_statistics(self) -> bool:
        """Whether the SR image is normalised by its own mean and variance."""
        return self.model.normalize.mode == 'instance'

    @torch.no_grad()
    def estimate_kernels(self, tiles: NDArray[np.float32]) -> NDArray[np.float32]:
        """Blur kernels (B, K, K) of tiles (B, h, w, 3)."""
        _, kernels = self.model.super_resolve(_to_tensor(tiles, self.device))
        return _to_numpy(kernels)[..., 0]

    @torch.no_grad()
    def super_resolve(
        self, tiles: NDArray[np.float32], blur_kernel: NDArray[np.float32] | None
    ) -> NDArray[np.float32]:
        """SR tiles (B, sh, sw, 3), all with the same blur kernel (K, K)."""
        inputs, _ = _pad(_to_tensor(tiles, self.device), self.divisor)
        image, _ = self.model.super_resolve(inputs, self._repeat(blur_kernel, len(tiles)))
        height, width = (self.scale * side for side in tiles.shape[1:3])
        return _to_numpy(image[..., :height, :width])

    @torch.no_grad()
    def segment(
        self,
        tiles: NDArray[np.float32],
        blur_kernel: NDArray[np.float32] | None,
        statistics: Statistics | None,
    ) -> NDArray[np.float32]:
        """Crack probability (B, H, W, 1) of SR tiles (B, H, W, 3), normalised by the photo's statistics."""
        image, _ = _pad(_to_tensor(tiles, self.device), self.scale * self.divisor)
        size = tuple(side // self.scale for side in image.shape[-2:])
        metas = [dict(ori_shape=size, img_shape=size, pad_shape=size)] * len(tiles)
        kernels = self._repeat(blur_kernel, len(tiles))
        moments = None if statistics is None else tuple(map(torch.from_numpy, statistics))
        logits = self.model.segment(image, kernels, metas, moments)[..., : tiles.shape[1], : tiles.shape[2]]
        return _to_numpy(crack_probability(logits, self.crack_class))

    def _repeat(self, blur_kernel: NDArray[np.float32] | None, count: int) -> Tensor | None:
        if blur_kernel is None:
            return None
        return torch.from_numpy(blur_kernel).to(self.device).expand(count, 1, *blur_kernel.shape)


def make_backend(model: nn.Module, crack_class: int | None = None) -> SegmentorBackend:
    """The backend for a model: with super-resolution if it has that, plain otherwise.

    Raises:
        ValueError: The model does not segment, or which of several classes is the crack cannot be known.
    """
    if not hasattr(model, 'decode_head'):
        raise ValueError(f'{type(model).__name__} segments nothing; use the config of a segmentor')
    if isinstance(model, BlindSRSegmentor):
        return BlindSRBackend(model, crack_class)
    return (RestoringBackend if hasattr(model, 'scale') else SegmentorBackend)(model, crack_class)


def _crack_class(model: nn.Module, crack_class: int | None) -> int:
    classes = [
        str(name).lower() for name in (getattr(model, 'dataset_meta', None) or {}).get('classes') or ()
    ]
    channels = model.out_channels
    if crack_class is None and channels > 2 and 'crack' not in classes:
        raise ValueError(
            f'the model has {channels} classes ({", ".join(classes[:5]) or "without names"}...) and none '
            f'is called "crack"; give crack_class'
        )
    if crack_class is None:
        crack_class = classes.index('crack') if len(classes) == channels and 'crack' in classes else 1
    if channels > 1 and not 0 <= crack_class < channels:
        raise ValueError(f'crack_class must be in 0..{channels - 1}, got {crack_class}')
    return crack_class


def _pad(images: Tensor, divisor: int) -> tuple[Tensor, tuple[int, int, int, int]]:
    """Pad at the right and the bottom by reflection: a black border would look like a crack."""
    height, width = images.shape[-2:]
    padding = (0, -width % divisor, 0, -height % divisor)
    if not any(padding):
        return images, padding
    fits = padding[1] < width and padding[3] < height
    return F.pad(images, padding, mode='reflect' if fits else 'replicate'), padding


def _stack(samples: list[SegDataSample], field: str) -> Tensor:
    return torch.stack([sample.get(field).data for sample in samples])


def _to_tensor(tiles: NDArray[np.float32], device: torch.device) -> Tensor:
    return torch.from_numpy(tiles.transpose(0, 3, 1, 2).copy()).to(device)


def _to_numpy(maps: Tensor) -> NDArray[np.float32]:
    """(B, C, H, W) to (B, H, W, C)."""
    return maps.permute(0, 2, 3, 1).float().cpu().numpy()
