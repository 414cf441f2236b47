"""Run an exported ONNX file in place of a model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from csbsr_mm.apis.backends import Backend, TileOutputs

from .export import INPUT, require


class OnnxBackend(Backend):
    """An ONNX file as the inferencer's model. Each tile is predicted by itself.

    Args:
        path: File written by ``tools/deployment/export_onnx.py``.
        device: 'cuda' to run on the GPU, where onnxruntime-gpu is installed.

    Raises:
        FileNotFoundError: There is no such file.
        ImportError: Onnxruntime is not installed.
        ValueError: The file does not come from our exporter, or cannot be run.
    """

    def __init__(self, path: str | Path, device: str | None = None) -> None:
        if not Path(path).is_file():
            raise FileNotFoundError(f'ONNX file {path} does not exist')
        ort = require('onnxruntime')
        providers = ['CPUExecutionProvider']
        if device is not None and str(device).startswith('cuda'):
            if 'CUDAExecutionProvider' not in ort.get_available_providers():
                raise ValueError('onnxruntime has no CUDA here; install onnxruntime-gpu or use --device cpu')
            providers.insert(0, 'CUDAExecutionProvider')
        try:
            self.session = ort.InferenceSession(str(path), providers=providers)
        except Exception as error:
            raise ValueError(f'{path} is no ONNX model that onnxruntime can run: {error}') from error
        properties = self.session.get_modelmeta().custom_metadata_map
        if 'csbsr_scale' not in properties:
            raise ValueError(f'{path} was not written by tools/deployment/export_onnx.py')
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
