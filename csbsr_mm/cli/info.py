"""Versions, devices, what is installed and what is missing: one paste for a bug report."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

BASE = ('torch', 'numpy', 'scipy', 'numba')
STACKS = {
    'maintained': ('onedl-mmengine', 'onedl-mmcv', 'onedl-mmsegmentation'),
    'upstream': ('mmengine', 'mmcv', 'mmcv-lite', 'mmsegmentation'),
}
OPENCV = (
    'opencv-python',
    'opencv-python-headless',
    'opencv-contrib-python',
    'opencv-contrib-python-headless',
)
EXTRAS = {
    'inspection': ('scikit-image', 'pillow', 'tifffile', 'jinja2', 'rich'),
    'train': ('tensorboard', 'matplotlib', 'rich'),
    'onnx': ('onnx', 'onnxruntime', 'onnxscript'),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument('--json', action='store_true', help='for programs')


def run(args: argparse.Namespace) -> None:
    """Print what there is."""
    facts = collect()
    if args.json:
        sys.stdout.write(json.dumps(facts, indent=1) + '\n')
        return
    width = max(map(len, facts))
    for name, value in facts.items():
        sys.stdout.write(f'{name:<{width}}  {value}\n')


def collect() -> dict[str, Any]:
    """Everything that a bug report needs, by name."""
    from csbsr_mm.config_library import config_root, list_configs

    facts = {
        'csbsr_mm': f'{_version("csbsr_mm")} in {Path(importlib.util.find_spec("csbsr_mm").origin).parent}',
        'configs': f'{len(list_configs())} in {config_root()}',
        'Python': f'{platform.python_version()} in {sys.prefix}',
        'system': f'{platform.platform()}, {os.cpu_count()} CPUs',
        **{name: _version(name) for name in BASE},
        'devices': _devices(),
        'MMSegmentation': _stack(),
        'OpenCV': _opencv(),
    }
    for extra, packages in EXTRAS.items():
        missing = [name for name in packages if _version(name) == 'missing']
        found = ', '.join(f'{name} {_version(name)}' for name in packages if name not in missing)
        hint = f"missing {', '.join(missing)}: pip install 'csbsr_mm[{extra}]'"
        facts[f'[{extra}]'] = '; '.join([*([found] if found else []), *([hint] if missing else [])])
    return facts


def _version(distribution: str) -> str:
    if distribution == 'csbsr_mm':
        from csbsr_mm.version import __version__

        return __version__
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return 'missing'


def _installed(distributions: tuple[str, ...]) -> list[str]:
    return [f'{name} {_version(name)}' for name in distributions if _version(name) != 'missing']


def _stack() -> str:
    """Which MMSegmentation there is, and whether it can be imported."""
    import csbsr_mm

    found = {kind: _installed(names) for kind, names in STACKS.items()}
    listed = '; '.join(f'{kind}: {", ".join(names)}' for kind, names in found.items() if names)
    try:
        if csbsr_mm.register():
            return f'{listed or "no distribution"}; components registered'
    except ImportError as error:
        return f'{listed}; NOT USABLE: {error}'
    return "missing (losses and metrics work without it): pip install 'csbsr_mm[mm]'"


def _opencv() -> str:
    found = _installed(OPENCV)
    if len(found) > 1:
        return f'{", ".join(found)}; they overwrite each other, keep one'
    return found[0] if found else "missing: pip install 'csbsr_mm[opencv]'"


def _devices() -> str:
    import torch

    if not torch.cuda.is_available():
        return f'CPU alone ({torch.get_num_threads()} threads)'
    names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    return f'{", ".join(names)}; CUDA {torch.version.cuda}, cuDNN {torch.backends.cudnn.version()}'
