"""Export a model to ONNX: SR image, crack probability and blur kernel in one graph."""

from __future__ import annotations

import copy
import logging
import sys
import warnings
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.registry import init_default_scope
from mmseg.models.utils import Upsample
from mmseg.models.utils import resize as mmseg_resize
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from csbsr_mm.apis.segmentor_backends import SegmentorBackend, make_backend
from csbsr_mm.functional.probability import crack_probability

from .backend import INPUT, require

MAX_SIDE = 8192
MAX_BATCH = 256


class ExportableModel(nn.Module):
    """A model as a function of tensors that ONNX can express.

    Input are RGB images (B, 3, h, w) in [0, 1]; outputs, by :attr:`output_names`, the SR image
    (B, 3, sh, sw) clipped to [0, 1], the crack probability (B, 1, sh, sw) and the blur kernel
    (B, 1, K, K); a model of MMSegmentation has the probability alone. Each image is normalised by its own
    statistics if the model does so.

    The model is copied, and two operations replaced by equal ones that export with any batch and size:
    adaptive pooling by products with matrices, and blurring each image with its own kernel by a product
    with unfolded patches.

    Args:
        model: Any segmentor, in evaluation mode.
        crack_class: Channel of the crack among several classes.
    """

    def __init__(self, model: nn.Module, crack_class: int | None = None) -> None:
        super().__init__()
        self.backend: SegmentorBackend = make_backend(copy.deepcopy(model).eval(), crack_class)
        self.model = self.backend.model
        self.output_names = ['probability']
        if self.backend.restores:
            self.output_names.insert(0, 'sr_image')
            if getattr(self.backend, 'is_blind', False):
                self.output_names.append('blur_kernel')
        else:
            matrix, offset = _color_transform(self.model.data_preprocessor)
            self.register_buffer('matrix', matrix)
            self.register_buffer('offset', offset)
        make_exportable(self.model)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Predict RGB images (B, 3, h, w) in [0, 1]."""
        if not self.backend.restores:
            return (self._probability(self._plain_logits(image)),)
        outputs = self.model(image, mode='tensor')
        found = [outputs.sr_image.clamp(0, 1), self._probability(outputs.seg_logits), outputs.blur_kernel]
        return tuple(found[: len(self.output_names)])

    def _probability(self, logits: Tensor) -> Tensor:
        return crack_probability(logits, self.backend.crack_class)

    def _plain_logits(self, image: Tensor) -> Tensor:
        """Logits of a segmentor that has the preprocessor's colours as input."""
        image = torch.einsum('oc,bchw->bohw', self.matrix, image) + self.offset
        size = image.shape[-2:]
        meta = dict(ori_shape=size, img_shape=size, pad_shape=size)
        return self.model.encode_decode(image, [meta])


class MatrixPool(nn.Module):
    """Adaptive average pooling as a product with two matrices, for input sizes known only at run time.

    Args:
        output_size: Rows and columns to give, or one number for both.

    Example:
        >>> x = torch.rand(1, 2, 7, 10)
        >>> bool(torch.allclose(MatrixPool(6)(x), nn.AdaptiveAvgPool2d(6)(x), atol=1e-6))
        True
    """

    def __init__(self, output_size: int | Sequence[int]) -> None:
        super().__init__()
        sides = (output_size, output_size) if isinstance(output_size, int) else output_size
        self.rows, self.columns = sides

    def forward(self, x: Tensor) -> Tensor:
        """Pool (B, C, h, w)."""
        rows = _bin_means(x.shape[-2], self.rows, x)
        columns = _bin_means(x.shape[-1], self.columns, x)
        return rows @ x @ columns.T


class ScaleUp(nn.Module):
    """MMSegmentation's ``Upsample`` by a factor, without turning sizes into constants."""

    def __init__(self, upsample: Upsample) -> None:
        super().__init__()
        self.options = dict(
            scale_factor=upsample.scale_factor, mode=upsample.mode, align_corners=upsample.align_corners
        )

    def forward(self, x: Tensor) -> Tensor:
        """Enlarge (B, C, h, w)."""
        return F.interpolate(x, **self.options)


def export_onnx(
    model: nn.Module,
    path: str | Path,
    size: tuple[int, int] = (112, 112),
    batch_size: int = 1,
    dynamic: bool = False,
    divisor: int = 8,
    crack_class: int | None = None,
) -> ExportableModel:
    """Write a model to an ONNX file.

    Args:
        model: Any segmentor with its weights.
        path: File to write.
        size: Input height and width.
        batch_size: Images at a time.
        dynamic: Let batch size and image size vary at run time; sides then are multiples of ``divisor``.
        divisor: Least common divisor of image sides in a dynamic graph, a power of two that the networks'
            strides divide (8 suits every network here at scale 4).
        crack_class: Channel of the crack among several classes.

    Returns:
        The module that was exported, to compare with.

    Raises:
        ImportError: The packages for ONNX are not installed.
        ValueError: ``size`` is no multiple of ``divisor`` in a dynamic graph.
    """
    require('onnx', 'onnxscript')
    if dynamic and any(side % divisor for side in size):
        raise ValueError(f'a dynamic graph needs sides that are multiples of {divisor}, got {size}')
    init_default_scope('mmseg')
    exportable = ExportableModel(model, crack_class).cpu().eval()
    # Sizes 0 and 1 would be taken for constants.
    example = torch.rand(max(batch_size, 2) if dynamic else batch_size, 3, *size)
    shapes = dynamic_shapes({INPUT: 1}, divisor) if dynamic else None
    properties = dict(
        csbsr_scale=str(exportable.backend.scale),
        csbsr_threshold=repr(float(exportable.backend.threshold)),
        csbsr_divisor=str(divisor if dynamic else 1),
    )
    write_graph(exportable, {INPUT: example}, exportable.output_names, path, shapes, properties)
    return exportable


def write_graph(
    module: nn.Module,
    inputs: dict[str, Tensor],
    outputs: Sequence[str],
    path: str | Path,
    shapes: dict | None,
    properties: dict[str, str],
) -> None:
    """Write a module as an ONNX graph.

    Args:
        module: Takes ``inputs`` by position.
        inputs: An example of each input by name.
        outputs: Names of what the module returns.
        path: File to write.
        shapes: Sizes that vary at run time, from :func:`dynamic_shapes`, or None.
        properties: Written into the file as metadata.
    """
    with torch.no_grad(), _quiet(), _symbolic_resize():
        # Captured here: left to itself the ONNX exporter falls back on graphs of fixed size.
        captured = torch.export.export(module, tuple(inputs.values()), dynamic_shapes=shapes, strict=False)
        program = torch.onnx.export(
            captured, dynamo=True, verbose=False, input_names=list(inputs), output_names=list(outputs)
        )
    program.model.metadata_props.update(properties)
    program.save(str(path))


def check_onnx(path: str | Path, exportable: ExportableModel, shapes: Sequence[tuple[int, ...]]) -> float:
    """Compare a file with the module that it was exported from.

    Args:
        path: ONNX file.
        exportable: What :func:`export_onnx` returned.
        shapes: Input shapes (B, 3, h, w) to try.

    Returns:
        Largest absolute difference of any output.
    """
    ort = require('onnxruntime')
    session = ort.InferenceSession(str(path), providers=['CPUExecutionProvider'])
    generator = torch.Generator().manual_seed(0)
    worst = 0.0
    for shape in shapes:
        image = torch.rand(*shape, generator=generator)
        with torch.no_grad():
            expected = exportable(image)
        found = session.run(exportable.output_names, {INPUT: image.numpy()})
        for one, other in zip(expected, found, strict=True):
            worst = max(worst, float(np.abs(one.numpy() - other).max()))
    return worst


def make_exportable(model: nn.Module) -> None:
    """Replace modules that do not export with variable sizes by equal ones that do."""
    for module in list(model.modules()):
        if getattr(module, 'blur_method', None) == 'grouped':
            module.blur_method = 'unfold'
        for name, child in module.named_children():
            if isinstance(child, nn.AdaptiveAvgPool2d):
                setattr(module, name, MatrixPool(child.output_size))
            elif isinstance(child, Upsample) and child.size is None:
                setattr(module, name, ScaleUp(child))


def _color_transform(preprocessor: nn.Module) -> tuple[Tensor, Tensor]:
    """The normalisation of a data preprocessor for RGB in [0, 1]: a matrix (3, 3) and an offset (3, 1, 1).

    Read off from black, red, green and blue, because the names of its settings differ between versions.
    """
    black_and_colors = torch.cat([torch.zeros(1, 3), torch.eye(3)])
    images = [255 * color.flip(0).view(3, 1, 1) for color in black_and_colors]
    samples = [SegDataSample(metainfo=dict(ori_shape=(1, 1), img_shape=(1, 1))) for _ in images]
    values = preprocessor(dict(inputs=images, data_samples=samples), False)['inputs'][..., 0, 0].cpu()
    return (values[1:] - values[0]).T.contiguous(), values[0].view(3, 1, 1)


@contextmanager
def _symbolic_resize():
    """Replace MMSegmentation's ``resize``, which turns sizes into constants for the sake of a warning."""

    def resize(input, size=None, scale_factor=None, mode='nearest', align_corners=None, **_kwargs):
        return F.interpolate(input, size, scale_factor, mode, align_corners)

    users = [module for module in list(sys.modules.values()) if vars(module).get('resize') is mmseg_resize]
    for module in users:
        module.resize = resize
    try:
        yield
    finally:
        for module in users:
            module.resize = mmseg_resize


def dynamic_shapes(scales: dict[str, int], divisor: int, batches: Sequence[str] = ()) -> dict:
    """Sizes that vary at run time, for :func:`write_graph`.

    Args:
        scales: Names of inputs that are images, and how many times the photo's size they have.
        divisor: Of the photo's sides.
        batches: Names of further inputs that have one entry an image.
    """
    height = torch.export.Dim('height', min=1, max=MAX_SIDE // divisor)
    width = torch.export.Dim('width', min=1, max=MAX_SIDE // divisor)
    batch = torch.export.Dim('batch', min=1, max=MAX_BATCH)
    images = {
        name: {0: batch, 2: scale * divisor * height, 3: scale * divisor * width}
        for name, scale in scales.items()
    }
    return {**images, **{name: {0: batch} for name in batches}}


def _bin_means(length: int, bins: int, like: Tensor) -> Tensor:
    """Matrix (bins, length) that averages each bin of adaptive pooling."""
    position = torch.arange(length, device=like.device)
    number = torch.arange(bins, device=like.device)[:, None]
    start, stop = number * length // bins, ((number + 1) * length + bins - 1) // bins
    inside = ((position >= start) & (position < stop)).to(like.dtype)
    return inside / inside.sum(1, keepdim=True)


@contextmanager
def _quiet():
    """Keep the exporter's messages about its own workings out of the user's sight."""
    loggers = [logging.getLogger(name) for name in ('onnxscript', 'onnx_ir', 'torch.onnx')]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
