"""Results of a test run: a table for people, a JSON file for programs."""

from __future__ import annotations

import json
import math
import platform
from importlib import import_module
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

# In the order of the paper's tables; the mark says whether larger or smaller is better.
METRICS = {
    'IoU_max': ('↑', 'IoU at the best threshold'),
    'AIU': ('↑', 'mean IoU over thresholds'),
    'HD95_min': ('↓', 'Hausdorff distance, px, at the best threshold'),
    'AHD95': ('↓', 'mean Hausdorff distance over thresholds, px'),
    'PSNR': ('↑', 'SR image, dB'),
    'SSIM': ('↑', 'SR image'),
    'accuracy': ('↑', 'of pixels'),
    'sensitivity': ('↑', 'share of the foreground that is found'),
    'specificity': ('↑', 'share of the background that is left alone'),
    'AUC': ('↑', 'area under the ROC curve of pixels'),
    'kernel_PSNR': ('↑', 'blur kernel, dB'),
    'kernel_PSNR_constant': ('', 'the best round Gaussian for all images, dB'),
    'kernel_size_R2': ('↑', 'size of the kernel: 1 is perfect, 0 a constant'),
    'kernel_size_error': ('↓', 'size of the kernel, px'),
    'kernel_angle_error': ('↓', 'direction of long kernels, degrees; 45 is chance'),
}
PACKAGES = ('csbsr_mm', 'torch', 'mmengine', 'mmcv', 'mmseg', 'numpy')


def print_metrics(metrics: dict[str, float], title: str) -> None:
    """Print a table of metrics, the paper's own first.

    Args:
        metrics: Values by name.
        title: Heading of the table.

    Example:
        >>> print_metrics({'PSNR': 27.5, 'SSIM': 0.81234}, 'A model')
                   A model
        ┏━━━━━━━━┳━━━━━━━━━┳━━━━━━━━━━━━━━━━┓
        ┃ metric ┃   value ┃                ┃
        ┡━━━━━━━━╇━━━━━━━━━╇━━━━━━━━━━━━━━━━┩
        │ PSNR   │ 27.5000 │ ↑ SR image, dB │
        │ SSIM   │  0.8123 │ ↑ SR image     │
        └────────┴─────────┴────────────────┘
    """
    table = Table(title=title)
    table.add_column('metric')
    table.add_column('value', justify='right')
    table.add_column('')
    for name in sorted(metrics, key=_rank):
        mark, meaning = METRICS.get(name.rsplit('/', 1)[-1], ('', ''))
        value = _plain(metrics[name])
        shown = f'{value:.4f}' if isinstance(value, float) else str(value)
        table.add_row(name, shown, f'{mark} {meaning}'.strip())
    Console().print(table)


def write_metrics(path: str, metrics: dict[str, float], config: str, checkpoint: str) -> None:
    """Write metrics, and what they were measured with, as JSON.

    Values are unrounded; JSON knows no infinity, so a value that is not finite is written as the text
    ``"inf"`` or ``"nan"``.

    Args:
        path: File to write.
        metrics: Values by name.
        config: Path of the config.
        checkpoint: Path of the checkpoint.
    """
    report = dict(
        metrics={name: _finite(_plain(metrics[name])) for name in sorted(metrics, key=_rank)},
        config=config,
        checkpoint=checkpoint,
        versions=dict(python=platform.python_version(), **{name: _version(name) for name in PACKAGES}),
    )
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(json.dumps(report, indent=2) + '\n', encoding='utf-8')


def check_writable(path: str) -> None:
    """Check before a long test that its report can be written afterwards.

    Args:
        path: File that will be written; its folder is made.

    Raises:
        OSError: It cannot be; an existing file stays as it is.
    """
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    existed = Path(path).exists()
    with open(path, 'a', encoding='utf-8'):
        pass
    if not existed:
        Path(path).unlink()


def _rank(name: str) -> tuple[int, str]:
    known = list(METRICS)
    base = name.rsplit('/', 1)[-1]
    return (known.index(base), name) if base in known else (len(known), name)


def _plain(value: Any) -> Any:
    """A NumPy or PyTorch value as Python's own."""
    return value.tolist() if hasattr(value, 'tolist') else value


def _finite(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _version(package: str) -> str:
    return getattr(import_module(package), '__version__', 'unknown')
