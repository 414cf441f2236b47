"""Check the installed stack of MMSegmentation, and work around its known faults.

Two stacks offer the same import names (``mmseg``, ``mmengine``, ``mmcv``): the maintained ``onedl-*``
distributions and OpenMMLab's last own releases ("upstream"). Both run; mixed in one environment they
overwrite each other's files. :func:`prepare_stack` is called once, by ``import csbsr_mm``.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.machinery
import importlib.util
import io
import sys
import types
import warnings
from importlib import metadata

from ._mmengine_configs import serve_configs

IMPORT_NAMES = ('mmengine', 'mmcv', 'mmseg')
ONEDL = ('onedl-mmengine', 'onedl-mmcv', 'onedl-mmsegmentation')
UPSTREAM = ('mmengine', 'mmcv', 'mmcv-lite', 'mmsegmentation')
REMEDY = (
    "Install one complete stack into a fresh environment: `pip install 'csbsr_mm[mm]'` (maintained) "
    "or `pip install 'csbsr_mm[upstream]'`; see docs/installation.md."
)
HEADLESS_REMEDY = (
    'This machine has no graphics libraries: `pip uninstall -y opencv-python` and then '
    '`pip install --force-reinstall --no-deps opencv-python-headless`; see docs/installation.md.'
)


def prepare_stack() -> bool:
    """Check the installed stack and apply its remedies.

    Returns:
        True if MMSegmentation can be imported, False if it is not installed.

    Raises:
        ImportError: Parts of a stack, or both stacks, are installed, or one fails to import.
    """
    onedl = [name for name in ONEDL if _is_distribution(name)]
    upstream = [name for name in UPSTREAM if _is_distribution(name)]
    importable = [name for name in IMPORT_NAMES if importlib.util.find_spec(name) is not None]
    if 'mmseg' not in importable and not (onedl and upstream):
        return (
            False  # Other projects of OpenMMLab bring mmengine and mmcv; csbsr_mm.functional needs neither.
        )
    if onedl and upstream:
        raise ImportError(
            f'csbsr_mm: {", ".join(onedl)} and {", ".join(upstream)} are installed side by side and '
            f'overwrite each other. {REMEDY}'
        )
    missing = [name for name in IMPORT_NAMES if name not in importable]
    if missing:
        raise ImportError(
            f'csbsr_mm: {", ".join(importable)} can be imported but {", ".join(missing)} cannot. {REMEDY}'
        )
    try:
        if upstream:
            _stub_compiled_ops()
            _supply_pkg_resources()
        _fix_package_names()
        serve_configs()
        _import_quietly('mmseg.datasets', 'mmseg.models')
    except Exception as error:
        remedy = HEADLESS_REMEDY if 'libGL' in str(error) else REMEDY
        found = ', '.join(f'{name} {metadata.version(name)}' for name in onedl + upstream)
        raise ImportError(
            f'csbsr_mm: the installed MMSegmentation stack ({found}) cannot be imported: '
            f'{type(error).__name__}: {error}. {remedy}'
        ) from error
    return True


def _import_quietly(*modules: str) -> None:
    """Import what csbsr_mm builds on without its remarks on optional parts that nothing here uses."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter('ignore')
        for module in modules:
            importlib.import_module(module)


def _is_distribution(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _stub_compiled_ops() -> None:
    """Upstream mmseg imports ``mmcv.ops``, which ``mmcv-lite`` ships without its compiled half."""
    name = 'mmcv._ext'
    if name in sys.modules or importlib.util.find_spec(name) is not None:
        return

    class MissingOps(types.ModuleType):
        def __getattr__(self, op: str):
            if op.startswith('__'):
                raise AttributeError(op)

            def missing(*_args, **_kwargs):
                raise RuntimeError(f'operator {op!r} needs the compiled mmcv; mmcv-lite is installed')

            return missing

    module = MissingOps(name)
    module.__spec__ = importlib.machinery.ModuleSpec(name, None)
    sys.modules[name] = module


def _supply_pkg_resources() -> None:
    """Upstream MMEngine asks ``pkg_resources``, gone since setuptools 82, which packages there are."""
    if importlib.util.find_spec('pkg_resources') is not None:
        return
    import mmengine.config.config as config
    import mmengine.utils as utils
    import mmengine.utils.package_utils as package_utils
    from mmengine.config.utils import MODULE2PACKAGE

    module_of = {package: module for module, package in MODULE2PACKAGE.items()}

    def is_installed(package: str) -> bool:
        module = module_of.get(package, package)
        return _is_distribution(package) or importlib.util.find_spec(module) is not None

    def get_installed_path(package: str) -> str:
        spec = importlib.util.find_spec(module_of.get(package, package))
        if spec is None or not spec.submodule_search_locations:
            raise ModuleNotFoundError(f'{package} is not installed')
        return spec.submodule_search_locations[0]

    for module in (package_utils, utils, config):
        module.is_installed, module.get_installed_path = is_installed, get_installed_path


def _fix_package_names() -> None:
    """``mmseg::`` in ``_base_`` looks for the distribution mmsegmentation; onedl's has another name."""
    from mmengine.config.utils import MODULE2PACKAGE

    if not _is_distribution('mmsegmentation'):
        MODULE2PACKAGE['mmseg'] = 'mmseg'
