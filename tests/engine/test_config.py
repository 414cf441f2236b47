"""One place for the root of the data, whatever the config's shape."""

from pathlib import Path

import pytest
from mmengine.config import Config

from csbsr_mm.engine.config import apply_data_root, set_resume
from csbsr_mm.weights import list_weights

BASES = Path(__file__).parents[2] / 'configs' / '_base_' / 'datasets'


def roots(node):
    """Every data root inside a config."""
    if isinstance(node, dict):
        found = [node['data_root']] if 'data_root' in node and 'type' in node else []
        return found + [root for child in node.values() for root in roots(child)]
    return [root for child in node for root in roots(child)] if isinstance(node, list) else []


@pytest.mark.parametrize('path', sorted(BASES.glob('*.py')), ids=lambda path: path.stem)
def test_option_reaches_every_data_set(path):
    cfg = Config.fromfile(path)
    cfg.merge_from_dict({'data_root': '/new'})
    apply_data_root(cfg)
    assert set(roots(cfg._cfg_dict)) == {'/new'}
    assert len(roots(cfg._cfg_dict)) >= 3


def test_own_roots_stay(tmp_path):
    file = tmp_path / 'config.py'
    file.write_text(
        "data_root = 'old'\n"
        "inner = dict(type='A', data_root=data_root)\n"
        "own = dict(type='A', data_root='elsewhere')\n"
        "train_dataloader = dict(dataset=dict(type='ConcatDataset', datasets=[inner, own]))\n"
    )
    cfg = Config.fromfile(file)
    apply_data_root(cfg)
    assert cfg.train_dataloader.dataset.datasets[0].data_root == 'old'
    cfg.merge_from_dict({'data_root': 'new'})
    apply_data_root(cfg)
    apply_data_root(cfg)
    first, second = cfg.train_dataloader.dataset.datasets
    assert (first.data_root, second.data_root) == ('new', 'elsewhere')


def test_config_without_a_root_is_left_alone():
    cfg = Config(dict(train_dataloader=dict(dataset=dict(data_root='x'))))
    apply_data_root(cfg)
    assert cfg.train_dataloader.dataset.data_root == 'x'


def test_training_starts_from_weights_on_board_by_name(tmp_path):
    cfg = Config(dict(load_from='rendered', work_dir=str(tmp_path)))
    set_resume(cfg, None)
    assert Path(cfg.load_from) == list_weights()['rendered'].path
    with pytest.raises(FileNotFoundError, match=r'load_from=renderd does not exist; .*on board \(rendered\)'):
        set_resume(Config(dict(load_from='renderd', work_dir=str(tmp_path))), None)
