"""Optional dependencies: which extra brings a package, and one error that says so."""

from __future__ import annotations

import importlib.util

# Import name: (name on the package index, extra that brings it).
PACKAGES = {
    'mmseg': ('MMSegmentation', 'mm'),
    'mmengine': ('MMEngine', 'mm'),
    'mmcv': ('MMCV', 'mm'),
    'cv2': ('OpenCV', 'opencv'),
    'skimage': ('scikit-image', 'inspection'),
    'PIL': ('Pillow', 'inspection'),
    'tifffile': ('tifffile', 'inspection'),
    'pillow_heif': ('pillow-heif', 'heic'),
    'jinja2': ('Jinja2', 'inspection'),
    'rich': ('rich', 'train'),
    'matplotlib': ('matplotlib', 'train'),
    'tensorboard': ('TensorBoard', 'train'),
    'onnx': ('onnx', 'onnx'),
    'onnxruntime': ('onnxruntime', 'onnx'),
    'onnxscript': ('onnxscript', 'onnx'),
    'torchmetrics': ('torchmetrics', 'torchmetrics'),
    'lightning': ('lightning', 'lightning'),
    'ezdxf': ('ezdxf', 'dxf'),
    'openpyxl': ('openpyxl', 'xlsx'),
    'fsspec': ('fsspec', 'remote'),
    'optuna': ('Optuna', 'search'),
}


def need(purpose: str, *modules: str) -> None:
    """Refuse to go on without packages that the base installation leaves out.

    Args:
        purpose: What needs them, as the subject of the message.
        *modules: Import names, each a key of :data:`PACKAGES`.

    Raises:
        ImportError: At least one is not installed; the message names them and the extras that bring them.
    """
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    if missing:
        raise ImportError(missing_message(purpose, missing), name=missing[0])


def missing_message(purpose: str, modules: list[str]) -> str:
    """What to say about packages that are not installed.

    Args:
        purpose: What needs them.
        modules: Import names, each a key of :data:`PACKAGES`.

    Example:
        >>> missing_message('Exporting', ['onnx'])
        "Exporting needs onnx, which is not installed: pip install 'csbsr_mm[onnx]'"
    """
    names = ', '.join(PACKAGES[module][0] for module in modules)
    extras = ','.join(dict.fromkeys(PACKAGES[module][1] for module in modules))
    be = 'are' if len(modules) > 1 else 'is'
    return f"{purpose} needs {names}, which {be} not installed: pip install 'csbsr_mm[{extras}]'"
