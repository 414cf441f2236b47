"""Photos of any size in, crack probability, mask, SR image and blur kernel out."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from csbsr_mm._extras import need
from csbsr_mm.onnx.backend import open_onnx
from csbsr_mm.photos.nodata import NoData, find_nodata
from csbsr_mm.photos.raster import Raster
from csbsr_mm.photos.reader import Photo, photo_from_array, read_photo
from csbsr_mm.utils.stage_times import StageTimes

from .backend import OUTPUT_OVERLAP, OUTPUT_TILE, Backend, SharingBackend, Statistics
from .result import CrackResult
from .tiling import TileBlender, TileGrid, check_tiling

if TYPE_CHECKING:  # An exported model runs without any of these.
    import torch
    from mmengine.config import Config
    from torch import nn

KERNEL_SAMPLES = 5
STREAM_PIXELS = 20_000_000
MODEL_STAGES = ('estimate_kernel', 'super_resolve', 'segment', 'whole_model')
"""What runs on the device; models whose networks do not run one after the other have the last alone."""

Progress = Callable[[int, int], None]


class CrackInferencer:
    """Find cracks in photos of any size.

    A photo is cut into overlapping tiles whose predictions are blended. With a :class:`BlindSRSegmentor`
    a photo of several tiles is handled as one: the blur kernel is estimated on tiles spread over it and
    averaged, every tile is super-resolved with that kernel, and the segmentor sees the SR image
    normalised by the statistics of the whole photo. Memory is bounded by the tile: images above 20
    megapixels go through scratch files.

    Args:
        model: A segmentor of MMSegmentation, or a :class:`~csbsr_mm.apis.backend.Backend`; None takes the
            weights on board. To start from files use :meth:`from_weights`, :meth:`from_config` or
            :meth:`from_onnx`.
        tile: Side of a tile in photo pixels; 448 / scale by default (112 for scale 4), as in the paper.
        overlap: Pixels that neighbouring tiles share; 64 / scale by default.
        batch_size: Tiles at a time.
        threshold: Probability above which a pixel is crack; the model's own by default.
        per_tile: Estimate kernel and normalisation for each tile alone instead of once per photo.
        crack_class: Channel of the crack, for models with several classes none of which is called so.
        scratch_dir: Where scratch files go; the system's place for temporary files by default.

    Attributes:
        times: Seconds in the model so far, by stage: :data:`MODEL_STAGES`.

    Raises:
        ValueError: A value is out of range, or the crack's class cannot be known.

    Example:
        >>> from mmengine.config import Config
        >>> head = dict(type='FCNHead', in_channels=4, channels=4, num_classes=2, norm_cfg=None)
        >>> unet = dict(type='UNet', base_channels=4, num_stages=2, strides=(1, 1), enc_num_convs=(1, 1),
        ...     dec_num_convs=(1,), downsamples=(True,), enc_dilations=(1, 1), dec_dilations=(1,))
        >>> head.update(in_index=1)
        >>> segmentor = dict(type='EncoderDecoder', backbone=unet, decode_head=head,
        ...     test_cfg=dict(mode='whole'))
        >>> model = dict(type='BlindSRSegmentor', sr=dict(type='BicubicUpsampler'), segmentor=segmentor,
        ...     data_preprocessor=dict(type='BlindSRDataPreProcessor'))
        >>> infer = CrackInferencer.from_config(Config(dict(model=model)), tile=16, overlap=4)
        >>> result = infer(np.zeros((30, 50, 3), np.uint8))
        >>> result.mask.shape, result.sr_image.shape
        ((120, 200), (120, 200, 3))
    """

    def __init__(
        self,
        model: nn.Module | Backend | None = None,
        *,
        tile: int | None = None,
        overlap: int | None = None,
        batch_size: int | None = None,
        threshold: float | None = None,
        per_tile: bool = False,
        crack_class: int | None = None,
        scratch_dir: str | Path | None = None,
    ) -> None:
        self.backend = model if isinstance(model, Backend) else _torch_backend(model, crack_class)
        scale = self.backend.scale
        self.tile = (self.backend.tile or OUTPUT_TILE // scale) if tile is None else tile
        self.overlap = min(OUTPUT_OVERLAP // scale, self.tile // 4) if overlap is None else overlap
        check_tiling(self.tile, self.overlap)
        self.batch_size = (self.backend.batch_size or 1) if batch_size is None else batch_size
        if self.batch_size < 1:
            raise ValueError(f'batch_size must be at least 1, got {batch_size}')
        self.threshold = self.backend.threshold if threshold is None else threshold
        if not 0 <= self.threshold < 1:
            raise ValueError(f'threshold must be a probability in [0, 1), got {threshold}')
        self.per_tile = per_tile
        self.scratch_dir = scratch_dir or tempfile.gettempdir()
        self.times = StageTimes()

    @classmethod
    def from_weights(
        cls, source: str | Path | None = None, device: str | torch.device | None = None, **options: Any
    ) -> CrackInferencer:
        """Build a model from a model file, which needs no config.

        Args:
            source: Name of weights on board, path or URL; see :func:`csbsr_mm.weights.open_weights`. None
                takes the default ones.
            device: Where to run; the GPU if there is one.
            **options: Arguments of the class.

        Raises:
            FileNotFoundError: There are no such weights.
            ValueError: The file is damaged or no model file, or torch cannot use the device.
        """
        need('A model that is not exported', 'mmseg')
        from csbsr_mm.weights.library import DEFAULT

        from .model_loading import load_weights

        return cls(_in_fastest_order(load_weights(source or DEFAULT, device or _default_device())), **options)

    @classmethod
    def from_config(
        cls,
        config: str | Path | Config,
        checkpoint: str | Path | None = None,
        device: str | torch.device | None = None,
        trust_checkpoint: bool = False,
        **options: Any,
    ) -> CrackInferencer:
        """Build the model of a config and load its weights.

        Args:
            config: Config file, or a config, of any MMSegmentation segmentor.
            checkpoint: Its weights; None keeps those that the model is built with.
            device: Where to run; the GPU if there is one.
            trust_checkpoint: Also load checkpoints that could run code; see :func:`load_checkpoint`.
            **options: Arguments of the class.

        Raises:
            FileNotFoundError: A file does not exist.
            RuntimeError: The checkpoint does not fit the config.
            ValueError: The config has no model, or torch cannot use the device.
        """
        need('A model that is not exported', 'mmseg')
        from .model_loading import load_model

        model = load_model(config, checkpoint, device or _default_device(), trust_checkpoint)
        return cls(_in_fastest_order(model), **options)

    @classmethod
    def from_onnx(
        cls, path: str | Path, device: str | torch.device | None = None, **options: Any
    ) -> CrackInferencer:
        """Run a model that was exported to ONNX; torch and MMSegmentation need not be installed.

        Args:
            path: File or folder that ``csbsr export`` wrote. A file predicts each tile by itself; a folder
                gives what the checkpoint gives.
            device: 'cuda' to run on the GPU, where onnxruntime-gpu is installed.
            **options: Arguments of the class. The tile of a graph of fixed size is that size.

        Raises:
            FileNotFoundError: There is no such file.
            ImportError: Onnxruntime is not installed.
            ValueError: The file does not come from our exporter, or cannot be run.
        """
        return cls(open_onnx(path, device), **options)

    def __call__(
        self, images: str | Path | NDArray | Photo | Sequence, progress: Progress | None = None
    ) -> CrackResult | list[CrackResult]:
        """Predict one photo or several.

        Args:
            images: File name, array (H, W) or (H, W, 3) RGB of 8 or 16 bits, :class:`Photo`, or a
                sequence of these. For thousands of photos use :meth:`stream`.
            progress: Called with the steps done and the steps in all, for each photo.

        Returns:
            A result, or a list for a sequence.

        Raises:
            PhotoError: A photo cannot be read.
        """
        if isinstance(images, str | Path | np.ndarray | Photo):
            return self.predict(images, progress)
        return [self.predict(image, progress) for image in images]

    def stream(self, images: Sequence[str | Path | NDArray | Photo]) -> Iterator[CrackResult]:
        """Predict photos one after the other, each freed when the next is asked for."""
        for image in images:
            result = self.predict(image)
            yield result
            result.close()

    def predict(self, image: str | Path | NDArray | Photo, progress: Progress | None = None) -> CrackResult:
        """Predict one photo; arguments as of :meth:`__call__`."""
        photo = self._open(image)
        grid = TileGrid(photo.height, photo.width, self.tile, self.overlap)
        if self.backend.shares and not self.per_tile and len(grid) > 1:
            return _PhotoRun(self, photo, grid, progress).in_two_stages()
        return _PhotoRun(self, photo, grid, progress).tile_by_tile()

    def _open(self, image: str | Path | NDArray | Photo) -> Photo:
        if isinstance(image, Photo):
            return image
        if isinstance(image, np.ndarray):
            return photo_from_array(image)
        return read_photo(image, self.scratch_dir)


def _torch_backend(model: nn.Module | None, crack_class: int | None) -> Backend:
    need('A model that is not exported', 'mmseg')
    from .model_loading import load_weights
    from .segmentor_backends import make_backend

    if model is None:
        model = _in_fastest_order(load_weights(device=_default_device()))
    return make_backend(model.eval(), crack_class)


def _in_fastest_order(model: nn.Module) -> nn.Module:
    """On a CPU with the channels last, which takes two thirds of the time and differs by rounding alone."""
    import torch

    on_cpu = next(model.parameters()).device.type == 'cpu'
    return model.to(memory_format=torch.channels_last) if on_cpu else model


def _default_device() -> str:
    import torch

    return 'cuda' if torch.cuda.is_available() else 'cpu'


class _PhotoRun:
    """One photo on its way through the model."""

    def __init__(
        self, inferencer: CrackInferencer, photo: Photo, grid: TileGrid, progress: Progress | None
    ) -> None:
        self.photo, self.grid = photo, grid
        self.nodata = find_nodata(photo.pixels)
        self.backend, self.times = inferencer.backend, inferencer.times
        self.batch_size, self.threshold = inferencer.batch_size, inferencer.threshold
        self.output_grid = grid.scaled(self.backend.scale)
        pixels = self.output_grid.height * self.output_grid.width
        self.folder = inferencer.scratch_dir if pixels > STREAM_PIXELS else None
        self.progress, self.done, self.total = progress, 0, len(grid)

    def tile_by_tile(self) -> CrackResult:
        """Each tile through the whole model by itself."""
        probability = self._raster(1)
        sr_image = self._raster(3) if self.backend.restores else None
        blenders = dict(probability=TileBlender(self.output_grid, probability))
        if sr_image is not None:
            blenders['sr_image'] = TileBlender(self.output_grid, sr_image)
        kernels = []
        for indices in self._batches(range(len(self.grid))):
            tiles = self._read(self.photo.pixels, self.grid, indices)
            with self.times.of('whole_model'):
                outputs = self.backend.run(tiles)
            for name, blender in blenders.items():
                for index, values in zip(indices, getattr(outputs, name), strict=True):
                    blender.add(index, values)
            if outputs.blur_kernel is not None:
                kernels.append(outputs.blur_kernel.sum(0))
        kernel = np.sum(kernels, 0) / len(self.grid) if kernels else None
        return self._result(blenders, probability, sr_image, kernel)

    def in_two_stages(self) -> CrackResult:
        """All tiles through S with one kernel, then all through C with one normalisation."""
        backend = cast(SharingBackend, self.backend)
        samples = _spread(len(self.grid), KERNEL_SAMPLES) if backend.is_blind else []
        self.total = 2 * len(self.grid) + len(samples)
        kernel = self._shared_kernel(samples)
        sr_image, probability = self._raster(3), self._raster(1)
        restored = TileBlender(self.output_grid, sr_image)
        for indices in self._batches(range(len(self.grid))):
            tiles = self._read(self.photo.pixels, self.grid, indices)
            with self.times.of('super_resolve'):
                tiles = backend.super_resolve(tiles, kernel)
            for index, values in zip(indices, tiles, strict=True):
                restored.add(index, values)
        statistics = (
            _statistics(sr_image, self.nodata, self.backend.scale) if backend.needs_statistics else None
        )
        segmented = TileBlender(self.output_grid, probability)
        for indices in self._batches(range(len(self.grid))):
            tiles = self._read(sr_image, self.output_grid, indices)
            with self.times.of('segment'):
                tiles = backend.segment(tiles, kernel, statistics)
            for index, values in zip(indices, tiles, strict=True):
                segmented.add(index, values)
        blenders = dict(probability=segmented, sr_image=restored)
        return self._result(blenders, probability, sr_image, kernel)

    def _shared_kernel(self, samples: list[int]) -> NDArray[np.float32] | None:
        """Mean kernel over some tiles, of unit sum; None without samples."""
        kernels: list[NDArray[np.float32]] = []
        for indices in self._batches(samples):
            tiles = self._read(self.photo.pixels, self.grid, indices)
            with self.times.of('estimate_kernel'):
                kernels += list(cast(SharingBackend, self.backend).estimate_kernels(tiles))
        if not kernels:
            return None
        mean = np.mean(kernels, 0)
        return (mean / mean.sum()).astype(np.float32)

    def _batches(self, indices: Sequence[int]) -> Iterator[Sequence[int]]:
        """Tile numbers in groups, counted as done when the next group is asked for."""
        for start in range(0, len(indices), self.batch_size):
            batch = indices[start : start + self.batch_size]
            yield batch
            self.done += len(batch)
            if self.progress is not None:
                self.progress(self.done, self.total)

    def _raster(self, channels: int) -> Raster:
        dtype = np.float32 if self.folder is None else np.uint16
        return Raster(self.output_grid.height, self.output_grid.width, channels, dtype, self.folder)

    @staticmethod
    def _read(source: Raster, grid: TileGrid, indices: Sequence[int]) -> NDArray[np.float32]:
        return np.stack([source.read_unit(grid[index]) for index in indices])

    def _result(
        self,
        blenders: dict[str, TileBlender],
        probability: Raster,
        sr_image: Raster | None,
        kernel: NDArray[np.float32] | None,
    ) -> CrackResult:
        return CrackResult(
            photo=self.photo,
            probability_raster=probability,
            sr_raster=sr_image,
            blur_kernel=kernel,
            threshold=self.threshold,
            scale=self.backend.scale,
            seam_rms={name: blender.seam_rms for name, blender in blenders.items()},
            tiles=len(self.grid),
            nodata=self.nodata,
        )


def _spread(count: int, wanted: int) -> list[int]:
    """At most ``wanted`` of the numbers below ``count``, evenly spread."""
    wanted = min(count, wanted)
    return [int((k + 0.5) * count / wanted) for k in range(wanted)]


def _statistics(image: Raster, nodata: NoData | None, scale: int) -> Statistics:
    """Mean and (biased) variance per channel over all pixels that show something."""
    total, squares, count = np.zeros(image.channels), np.zeros(image.channels), 0
    for box in image.blocks():
        values = image.read_unit(box).astype(np.float64)
        values = values[slice(None) if nodata is None else ~nodata.read(box, scale)].reshape(
            -1, image.channels
        )
        total += values.sum(0)
        squares += (values**2).sum(0)
        count += len(values)
    if not count:
        return Statistics(total, np.ones(image.channels))
    mean = total / count
    return Statistics(mean, np.maximum(squares / count - mean**2, 0))
