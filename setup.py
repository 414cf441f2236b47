"""The one build step that ``pyproject.toml`` cannot say: the configs travel inside the package."""

import importlib.util
import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent


class BuildWithConfigs(build_py):
    """Copy ``configs/`` to ``csbsr_mm/.mim/configs``, where MMEngine and mim look, and write their index."""

    def run(self) -> None:
        """Build the modules, then add the configs; an editable install reads those of the clone."""
        super().run()
        if self.editable_mode:
            return
        library = _load_library()
        target = Path(self.build_lib, 'csbsr_mm', '.mim')
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(
            ROOT / 'configs', target / 'configs', ignore=shutil.ignore_patterns('__pycache__', '*.pyc')
        )
        for name, text in library.model_index().items():
            (target / name).write_text(text, encoding='utf-8')


def _load_library():
    """The package's list of configs, without importing the package and what it needs."""
    path = ROOT / 'csbsr_mm' / 'config_library.py'
    spec = importlib.util.spec_from_file_location('config_library', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


setup(cmdclass={'build_py': BuildWithConfigs})
