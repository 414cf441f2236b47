"""Export a blind SR segmentor as its two networks, so that a photo is handled as one."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import numpy as np
import torch
from mmengine.registry import init_default_scope
from mmseg.models.utils import resize
from torch import Tensor, nn

from csbsr_mm.apis.backend import Statistics
from csbsr_mm.apis.segmentor_backends import BlindSRBackend
from csbsr_mm.functional.probability import crack_probability
from csbsr_mm.models.segmentors import BlindSRSegmentor

from .backend import FORMAT, INPUT, KERNEL, MANIFEST, MEAN, SR, VARIANCE, OnnxFolderBackend, require
from .export import dynamic_shapes, make_exportable, write_graph


class KernelStage(nn.Module):
    """S as estimator: images (B, 3, h, w) to blur kernels (B, 1, K, K)."""

    def __init__(self, model: BlindSRSegmentor) -> None:
        super().__init__()
        self.model = model

    def forward(self, image: Tensor) -> Tensor:
        """Estimate the blur of each image."""
        return self.model.super_resolve(image)[1]


class RestoreStage(nn.Module):
    """S with the kernel given: images (B, 3, h, w) to SR images (B, 3, sh, sw) in [0, 1]."""

    def __init__(self, model: BlindSRSegmentor) -> None:
        super().__init__()
        self.model = model

    def forward(self, image: Tensor, blur_kernel: Tensor | None = None) -> Tensor:
        """Super-resolve; a network that is not blind takes no kernel."""
        return self.model.super_resolve(image, blur_kernel)[0]


class SegmentStage(nn.Module):
    """C: SR images (B, 3, sh, sw) to crack probability (B, 1, sh, sw), normalised by given statistics."""

    def __init__(self, model: BlindSRSegmentor, crack_class: int, inputs: tuple[str, ...]) -> None:
        super().__init__()
        self.model, self.crack_class, self.inputs = model, crack_class, inputs

    def forward(self, sr_image: Tensor, *others: Tensor) -> Tensor:
        """Segment; ``others`` are those of mean (3,), variance (3,) and kernel that the model needs."""
        given = dict(zip(self.inputs[1:], others, strict=True))
        statistics = (given[MEAN], given[VARIANCE]) if MEAN in given else None
        image = self.model.normalize(sr_image, None, statistics)
        with self.model.conditioned(given.get(KERNEL)):
            logits = self.model.segmentor(image, mode='tensor')
        size = sr_image.shape[-2:]
        logits = resize(logits, size, mode='bilinear', align_corners=self.model.align_corners)
        return crack_probability(logits, self.crack_class)


def export_stages(
    model: nn.Module,
    folder: str | Path,
    size: tuple[int, int] = (112, 112),
    batch_size: int = 1,
    dynamic: bool = False,
    divisor: int = 8,
    crack_class: int | None = None,
) -> OnnxFolderBackend:
    """Write a blind SR segmentor to a folder of ONNX files, one a stage.

    A photo of several tiles then has one blur kernel and one normalisation, as with the checkpoint itself:
    ``kernel.onnx`` estimates, ``restore.onnx`` is S with that kernel, ``segment.onnx`` is C.

    Args:
        model: The model with its weights.
        folder: Folder to write; created if need be.
        size: Height and width of tiles of the photo.
        batch_size: Tiles at a time.
        dynamic: Let batch size and tile size vary at run time; sides then are multiples of ``divisor``.
        divisor: See :func:`csbsr_mm.onnx.export.export_onnx`.
        crack_class: Channel of the crack among several classes.

    Returns:
        The folder as a backend.

    Raises:
        ImportError: The packages for ONNX are not installed.
        ValueError: The model has no stages, or ``size`` is no multiple of ``divisor`` in a dynamic graph.
    """
    require('onnx', 'onnxscript')
    if not isinstance(model, BlindSRSegmentor):
        raise ValueError(
            f'{type(model).__name__} predicts each tile by itself and has no stages to export; name an '
            f'.onnx file instead of a folder'
        )
    if dynamic and any(side % divisor for side in size):
        raise ValueError(f'a dynamic graph needs sides that are multiples of {divisor}, got {size}')
    init_default_scope('mmseg')
    backend = BlindSRBackend(copy.deepcopy(model).cpu().eval(), crack_class)
    make_exportable(backend.model)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    batch = max(batch_size, 2) if dynamic else batch_size
    # Sizes 0 and 1 would be taken for constants.
    examples = _examples(backend, batch, size)
    for name, (module, inputs, output) in _stages(backend).items():
        scales = {key: scale for key, scale in ((INPUT, 1), (SR, backend.scale)) if key in inputs}
        shapes = None
        if dynamic:
            kernels = [key for key in inputs if key == KERNEL]
            varying = dynamic_shapes(scales, divisor, kernels)
            shapes = tuple(varying.get(key) for key in inputs)
            shapes = (shapes[0], shapes[1:]) if isinstance(module, SegmentStage) else shapes
        given = {key: examples[key] for key in inputs}
        write_graph(module.eval(), given, [output], folder / f'{name}.onnx', shapes, {})
    manifest = dict(
        format=FORMAT,
        scale=backend.scale,
        threshold=float(backend.threshold),
        divisor=divisor if dynamic else 1,
        tiles=None if dynamic else [batch_size, *size],
    )
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + '\n', encoding='utf-8')
    return OnnxFolderBackend(folder)


def check_stages(folder: str | Path, model: BlindSRSegmentor, crack_class: int | None = None) -> float:
    """Compare a folder with the model that it was exported from, stage by stage, on random tiles.

    Args:
        folder: What :func:`export_stages` wrote.
        model: The model.
        crack_class: As it was exported with.

    Returns:
        Largest absolute difference of any stage.
    """
    ours, theirs = OnnxFolderBackend(folder), BlindSRBackend(model.cpu().eval(), crack_class)
    count, height, width = ours.tiles or (1, 4 * ours.divisor, 4 * ours.divisor)
    random = np.random.default_rng(0)
    tiles = random.random((count, height, width, 3), np.float32)
    sr = random.random((count, ours.scale * height, ours.scale * width, 3), np.float32)
    statistics = Statistics(np.full(3, 0.4), np.full(3, 0.05)) if theirs.needs_statistics else None
    kernel, found = None, []
    if theirs.is_blind:
        kernels = theirs.estimate_kernels(tiles)
        found.append((ours.estimate_kernels(tiles), kernels))
        kernel = kernels[0]
    found.append((ours.super_resolve(tiles, kernel), theirs.super_resolve(tiles, kernel)))
    found.append((ours.segment(sr, kernel, statistics), theirs.segment(sr, kernel, statistics)))
    return max(float(np.abs(one - other).max()) for one, other in found)


def _stages(backend: BlindSRBackend) -> dict[str, tuple[nn.Module, tuple[str, ...], str]]:
    """Module, names of inputs and name of the output of each stage."""
    model = backend.model
    kernel = (KERNEL,) if backend.is_blind else ()
    moments = (MEAN, VARIANCE) if backend.needs_statistics else ()
    condition = kernel if model.blur_skip is not None else ()
    segment = (SR, *moments, *condition)
    stages: dict[str, tuple[nn.Module, tuple[str, ...], str]] = {
        'restore': (RestoreStage(model), (INPUT, *kernel), SR),
        'segment': (SegmentStage(model, backend.crack_class, segment), segment, 'probability'),
    }
    if backend.is_blind:
        stages['kernel'] = (KernelStage(model), (INPUT,), KERNEL)
    return stages


def _examples(backend: BlindSRBackend, batch: int, size: tuple[int, int]) -> dict[str, Tensor]:
    side = backend.model.sr.kernel_size or 1
    return {
        INPUT: torch.rand(batch, 3, *size),
        SR: torch.rand(batch, 3, *(backend.scale * length for length in size)),
        KERNEL: torch.full((batch, 1, side, side), 1 / side**2),
        MEAN: torch.full((3,), 0.5),
        VARIANCE: torch.full((3,), 0.1),
    }
