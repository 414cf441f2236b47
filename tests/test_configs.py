"""Every config of the house builds: model (without memory), data sets' pipelines, hooks."""

import re
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.registry import HOOKS, METRICS, MODELS, TRANSFORMS

import csbsr_mm  # noqa: F401

ROOT = Path(__file__).parents[1]
CONFIGS = sorted(p for p in (ROOT / 'configs').rglob('*.py') if '_base_' not in p.parts)


@pytest.fixture(autouse=True)
def scope():
    init_default_scope('mmseg')


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: str(path.relative_to(ROOT / 'configs')))
def test_config_builds(path):
    config = Config.fromfile(path)
    assert 'csbsr_mm' in config.custom_imports['imports']
    # SegFormer's constructor reads numbers out of tensors; it is small.
    with torch.device('cpu' if 'segformer' in path.name else 'meta'):
        model = MODELS.build(config.model)
    assert sum(p.numel() for p in model.parameters()) > 0 or 'bicubic' in path.name
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        loader = config.get(name)
        if loader is not None:
            for transform in loader.dataset.get('pipeline', []):
                TRANSFORMS.build(transform)
    for name in ('val_evaluator', 'test_evaluator'):
        metrics = config.get(name) or []
        for metric in metrics if isinstance(metrics, list) else [metrics]:
            METRICS.build(metric)
    schedules = ('training_stage', 'boundary_rebalance', 'task_weight')
    named = [config.default_hooks[name] for name in schedules if name in config.default_hooks]
    for hook in [*config.get('custom_hooks', []), *named]:
        HOOKS.build(hook)


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: str(path.relative_to(ROOT / 'configs')))
def test_base_depth(path):
    """A reader opens three files at most to know what a config says."""

    def depth(file: Path) -> int:
        bases = Config._get_base_files(str(file))
        local = [base for base in bases if '::' not in base]
        return 1 + max((depth((file.parent / base).resolve()) for base in local), default=0)

    assert depth(path) <= 4


@pytest.mark.parametrize(
    'folder',
    sorted({path.parent for path in (ROOT / 'configs').rglob('*.py') if '_base_' not in path.parts}),
    ids=lambda path: path.name,
)
def test_every_folder_says_what_its_files_are(folder):
    page = (folder / 'README.md').read_text(encoding='utf-8')
    missing = [path.name for path in folder.glob('*.py') if f'`{path.name}`' not in page]
    assert not missing
    links = re.findall(r'\]\(([^)]+)\)', page)
    assert all((folder / link).is_file() for link in links)


def test_there_are_configs():
    assert len(CONFIGS) >= 6
