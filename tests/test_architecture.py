"""The house's import directions, read from the source files."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / 'csbsr_mm'
ROOMS = sorted(path.name for path in ROOT.iterdir() if path.is_dir() and path.name != '__pycache__')
MM = ('mmseg', 'mmengine', 'mmcv')


def others(*rooms: str) -> list[str]:
    """All rooms but these."""
    return [f'csbsr_mm.{room}' for room in ROOMS if room not in rooms]


# Who may not import whom. Everyone may import utils, which imports nobody; functional imports utils alone.
FORBIDDEN = {
    'utils': (*MM, *others('utils')),
    'functional': (*MM, *others('functional', 'utils')),
    'scoring': (*MM, *others('scoring', 'metrics', 'functional', 'utils')),
    'metrics': (*MM, *others('metrics', 'functional', 'utils')),
    'losses': (*MM, *others('losses', 'functional', 'utils')),
    'photos': (*MM, *others('photos', 'utils')),
    'models/utils': ('csbsr_mm.models.segmentors', 'csbsr_mm.apis', 'csbsr_mm.engine', 'csbsr_mm.datasets'),
    'models/sr': ('csbsr_mm.models.segmentors', 'csbsr_mm.apis', 'csbsr_mm.engine', 'csbsr_mm.datasets'),
    'models/losses': ('csbsr_mm.models.segmentors', 'csbsr_mm.apis', 'csbsr_mm.engine', 'csbsr_mm.datasets'),
    'models': ('csbsr_mm.apis', 'csbsr_mm.engine', 'csbsr_mm.datasets', 'csbsr_mm.evaluation'),
    'datasets': ('csbsr_mm.models', 'csbsr_mm.apis', 'csbsr_mm.engine', 'csbsr_mm.evaluation'),
    'evaluation': ('csbsr_mm.models', 'csbsr_mm.apis', 'csbsr_mm.engine', 'csbsr_mm.datasets'),
    'engine/hooks': ('csbsr_mm.models', 'csbsr_mm.apis'),
    'visualization': ('csbsr_mm.models', 'csbsr_mm.apis', 'csbsr_mm.inspection'),
    'apis': ('csbsr_mm.inspection',),
    'weights': ('csbsr_mm.inspection', 'csbsr_mm.evaluation', 'csbsr_mm.datasets'),
}  # fmt: skip


def imported_modules(path: Path) -> set[str]:
    """Absolute names of everything that a source file imports, wherever in the file."""
    package = ['csbsr_mm', *path.relative_to(ROOT).parts[:-1]]
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = '.'.join([*base, *([node.module] if node.module else [])])
            names.update([module, *(f'{module}.{alias.name}' for alias in node.names)])
    return names


@pytest.mark.parametrize('folder', FORBIDDEN)
def test_import_direction(folder):
    offences = [
        f'{path.relative_to(ROOT)} imports {name}'
        for path in (ROOT / folder).rglob('*.py')
        for name in imported_modules(path)
        if any(name == banned or name.startswith(banned + '.') for banned in FORBIDDEN[folder])
    ]
    assert not offences


def test_rule_sees_relative_and_nested_imports(tmp_path, monkeypatch):
    fake = tmp_path / 'engine' / 'hooks' / 'x.py'
    fake.parent.mkdir(parents=True)
    fake.write_text('def f():\n    from ...models import sr\n    import torch\n')
    monkeypatch.setitem(imported_modules.__globals__, 'ROOT', tmp_path)
    assert {'csbsr_mm.models', 'csbsr_mm.models.sr', 'torch'} <= imported_modules(fake)


def test_no_name_of_mmsegmentation_is_taken():
    """Registering over an existing name would change other people's configs."""
    import mmseg.registry
    from mmengine.registry import Registry
    from mmengine.utils import import_modules_from_strings

    import_modules_from_strings(['mmseg.models', 'mmseg.datasets', 'mmseg.evaluation', 'mmseg.engine'])
    import csbsr_mm  # noqa: F401

    for registry in vars(mmseg.registry).values():
        if not isinstance(registry, Registry):
            continue
        ours = {n for n, c in registry.module_dict.items() if c.__module__.startswith('csbsr_mm')}
        inherited = set(registry.parent.module_dict) if registry.parent else set()
        assert not ours & inherited
