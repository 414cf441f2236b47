"""Loads a script of ``tools/`` as a module."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

TOOLS = Path(__file__).parents[2] / 'tools'


def load_tool(path: str) -> ModuleType:
    """The script ``tools/PATH.py`` as a module; its own folder can be imported from, as when it is run.

    Args:
        path: Path below ``tools/`` without suffix, such as ``'analysis_tools/compare'``.
    """
    script = TOOLS / f'{path}.py'
    if str(script.parent) not in sys.path:
        sys.path.insert(0, str(script.parent))
    spec = importlib.util.spec_from_file_location(f'tool_{script.stem}', script)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module
