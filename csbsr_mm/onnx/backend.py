"""Run an exported ONNX model in place of a model of torch. Needs onnxruntime, and nothing of torch."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from csbsr_mm._extras import need
from csbsr_mm.apis.backend import Backend, SharingBackend, Statistics, TileOutputs

INPUT = 'image'
SR = 'sr_image'
KERNEL = 'blur_kernel'
MEAN, VARIANCE = 'mean', 'variance'
MANIFEST = 'model.json'
FORMAT = 1


def require(*packages: str) -> Any:
    """Import packages of the extra ``onnx``; returns the last."""
    need('ONNX', *packages)
    return [importlib.import_module(package) for package in packages][-1]


def open_onnx(path: str | Path, device: str | None = None) -> Backend:
    """The backend for what ``csbsr export`` wrote.

    Args:
        path: File, whose tiles are predicted each by itself, or folder, which handles a photo as one.
        device: 'cuda' to run on the GPU, where onnxruntime-gpu is installed.

    Raises:
        FileNotFoundError: There is nothing at ``path``, or the folder lacks a file.
        ImportError: Onnxruntime is not installed.
        ValueError: It does not come from our exporter, or cannot be run.
    """
    return OnnxFolderBackend(path, device) if Path(path).is_dir() else OnnxBackend(path, device)


class OnnxBackend(Backend):
    """An ONNX file as the inferencer's model. Each tile is predicted by itself.

    Args:
        path: File that ``csbsr export`` wrote.
        device: 'cuda' to run on the GPU, where onnxruntime-gpu is installed.

    Raises:
        FileNotFoundError: There is no such file.
        ImportError: Onnxruntime is not installed.
        ValueError: The file does not come from our exporter, or cannot be run.
    """

    def __init__(self, path: str | Path, device: str | None = None) -> None:
        self.session = _session(path, device)
        properties = self.session.get_modelmeta().custom_metadata_map
        if 'csbsr_scale' not in properties:
            raise ValueError(f'{path} was not written by `csbsr export`')
        self.scale = int(properties['csbsr_scale'])
        self.threshold = float(properties['csbsr_threshold'])
        self.divisor = int(properties['csbsr_divisor'])
        self.output_names = [output.name for output in self.session.get_outputs()]
        self.restores = 'sr_image' in self.output_names
        batch, _, height, width = self.session.get_inputs()[0].shape
        self._fixed = (batch, height, width) if isinstance(height, int) else None
        self.tile = min(height, width) if self._fixed else None
        self.batch_size = batch if self._fixed else None

    def run(self, tiles: NDArray[np.float32]) -> TileOutputs:
        """Predict tiles (B, h, w, 3), RGB in [0, 1]."""
        count, height, width = tiles.shape[:3]
        images = self._fit(tiles.transpose(0, 3, 1, 2))
        outputs = dict(zip(self.output_names, self.session.run(None, {INPUT: images}), strict=True))

        def crop(maps: NDArray[np.float32] | None) -> NDArray[np.float32] | None:
            if maps is None:
                return None
            maps = maps[:count, :, : self.scale * height, : self.scale * width]
            return np.ascontiguousarray(maps.transpose(0, 2, 3, 1))

        kernel = outputs.get('blur_kernel')
        return TileOutputs(
            crop(outputs['probability']),
            crop(outputs.get('sr_image')),
            None if kernel is None else kernel[:count, 0],
        )

    def _fit(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Pad with black to a shape that the graph takes."""
        count, _, height, width = images.shape
        if self._fixed:
            batch, rows, columns = self._fixed
            if height > rows or width > columns or count > batch:
                raise ValueError(
                    f'the ONNX graph takes {batch} tiles of {rows}x{columns} at a time, got {count} of '
                    f'{height}x{width}; export it with --dynamic, or use --tile {min(rows, columns)}'
                )
        else:
            batch, rows, columns = count, *(side + -side % self.divisor for side in (height, width))
        padding = [(0, batch - count), (0, 0), (0, rows - height), (0, columns - width)]
        return np.ascontiguousarray(np.pad(images, padding), dtype=np.float32)


class OnnxFolderBackend(SharingBackend):
    """A folder of ONNX files, one a stage: a photo has one blur kernel and one normalisation.

    Args:
        folder: Folder that ``csbsr export`` wrote.
        device: 'cuda' to run on the GPU, where onnxruntime-gpu is installed.

    Attributes:
        tiles: Number, height and width of the tiles that graphs of fixed size take; None: any.
        divisor: What the sides of tiles are padded to multiples of.

    Raises:
        FileNotFoundError: The folder lacks a file.
        ImportError: Onnxruntime is not installed.
        ValueError: The folder does not come from our exporter, or cannot be run.
    """

    def __init__(self, folder: str | Path, device: str | None = None) -> None:
        folder = Path(folder)
        if not (folder / MANIFEST).is_file():
            raise FileNotFoundError(f'{folder} holds no {MANIFEST}; name a folder that `csbsr export` wrote')
        manifest = json.loads((folder / MANIFEST).read_text(encoding='utf-8'))
        if manifest.get('format') != FORMAT:
            raise ValueError(
                f'{folder / MANIFEST} has format {manifest.get("format")}, this version reads {FORMAT}; '
                f'export the model again'
            )
        self.scale, self.threshold = int(manifest['scale']), float(manifest['threshold'])
        self.divisor = int(manifest['divisor'])
        self.tiles = None if manifest['tiles'] is None else tuple(manifest['tiles'])
        self.tile = min(self.tiles[1:]) if self.tiles else None
        self.batch_size = self.tiles[0] if self.tiles else None
        self._restore = _session(folder / 'restore.onnx', device)
        self._segment = _session(folder / 'segment.onnx', device)
        self._kernel = _session(folder / 'kernel.onnx', device) if KERNEL in _inputs(self._restore) else None

    @property
    def is_blind(self) -> bool:
        """Whether a blur kernel is estimated."""
        return self._kernel is not None

    @property
    def needs_statistics(self) -> bool:
        """Whether the SR image is normalised by its own mean and variance."""
        return MEAN in _inputs(self._segment)

    def estimate_kernels(self, tiles: NDArray[np.float32]) -> NDArray[np.float32]:
        """Blur kernels (B, K, K) of tiles (B, h, w, 3)."""
        (kernels,) = self._kernel.run(None, {INPUT: self._fit(tiles, 1)})
        return kernels[: len(tiles), 0]

    def super_resolve(
        self, tiles: NDArray[np.float32], blur_kernel: NDArray[np.float32] | None
    ) -> NDArray[np.float32]:
        """SR tiles (B, sh, sw, 3), all with the same blur kernel (K, K)."""
        return self._run(self._restore, {INPUT: self._fit(tiles, 1)}, blur_kernel, tiles, self.scale)

    def segment(
        self,
        tiles: NDArray[np.float32],
        blur_kernel: NDArray[np.float32] | None,
        statistics: Statistics | None,
    ) -> NDArray[np.float32]:
        """Crack probability (B, H, W, 1) of SR tiles (B, H, W, 3), normalised by the photo's statistics."""
        inputs = {SR: self._fit(tiles, self.scale)}
        if statistics is not None:
            inputs |= {MEAN: np.float32(statistics.mean), VARIANCE: np.float32(statistics.variance)}
        return self._run(self._segment, inputs, blur_kernel, tiles, 1)

    def run(self, tiles: NDArray[np.float32]) -> TileOutputs:
        """Predict tiles (B, h, w, 3), RGB in [0, 1], each by itself."""
        kernels = self.estimate_kernels(tiles) if self.is_blind else [None] * len(tiles)
        images, maps = [], []
        for tile, kernel in zip(tiles, kernels, strict=True):
            image = self.super_resolve(tile[None], kernel)
            pixels = image[0].reshape(-1, 3).astype(np.float64)
            own = Statistics(pixels.mean(0), pixels.var(0)) if self.needs_statistics else None
            images.append(image[0])
            maps.append(self.segment(image, kernel, own)[0])
        return TileOutputs(np.stack(maps), np.stack(images), np.stack(kernels) if self.is_blind else None)

    def _run(
        self,
        session: Any,
        inputs: dict[str, NDArray],
        blur_kernel: NDArray[np.float32] | None,
        tiles: NDArray[np.float32],
        factor: int,
    ) -> NDArray[np.float32]:
        """The only output of a graph, for as many tiles, ``factor`` times as large as they are."""
        if KERNEL in _inputs(session):
            batch = len(next(iter(inputs.values())))
            inputs[KERNEL] = np.repeat(np.float32(blur_kernel)[None, None], batch, 0)
        (maps,) = session.run(None, inputs)
        count, height, width = tiles.shape[:3]
        maps = maps[:count, :, : factor * height, : factor * width]
        return np.ascontiguousarray(maps.transpose(0, 2, 3, 1))

    def _fit(self, tiles: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
        """Tiles (B, h, w, 3) as (B, 3, h, w), padded by reflection to a shape that the graphs take."""
        count, height, width = tiles.shape[:3]
        if self.tiles:
            batch, rows, columns = self.tiles[0], factor * self.tiles[1], factor * self.tiles[2]
            if height > rows or width > columns or count > batch:
                raise ValueError(
                    f'the ONNX graphs take {batch} tiles of {rows}x{columns} at a time, got {count} of '
                    f'{height}x{width}; export them with --dynamic, or use --tile {self.tile}'
                )
        else:
            divisor = factor * self.divisor
            batch, rows, columns = count, height + -height % divisor, width + -width % divisor
        padding = [(0, 0), (0, rows - height), (0, columns - width), (0, 0)]
        fits = rows < 2 * height and columns < 2 * width
        tiles = np.pad(tiles, padding, mode='reflect' if fits else 'edge')
        tiles = np.pad(tiles, [(0, batch - count), (0, 0), (0, 0), (0, 0)])
        return np.ascontiguousarray(tiles.transpose(0, 3, 1, 2), dtype=np.float32)


def _session(path: str | Path, device: str | None) -> Any:
    if not Path(path).is_file():
        raise FileNotFoundError(f'ONNX file {path} does not exist')
    ort = require('onnxruntime')
    providers = ['CPUExecutionProvider']
    if device is not None and str(device).startswith('cuda'):
        if 'CUDAExecutionProvider' not in ort.get_available_providers():
            raise ValueError('onnxruntime has no CUDA here; install onnxruntime-gpu or use --device cpu')
        providers.insert(0, 'CUDAExecutionProvider')
    try:
        return ort.InferenceSession(str(path), providers=providers)
    except Exception as error:
        raise ValueError(f'{path} is no ONNX model that onnxruntime can run: {error}') from error


def _inputs(session: Any) -> set[str]:
    return {value.name for value in session.get_inputs()}
