"""The configs that come with the package are found by name, path and ``csbsr_mm::``."""

from pathlib import Path

import pytest
import yaml
from mmengine.config import Config

from csbsr_mm.config_library import config_root, describe_config, find_config, list_configs, model_index

CONFIGS = Path(__file__).parents[1] / 'configs'


def test_every_config_has_one_name_and_one_line():
    files = [path for path in CONFIGS.rglob('*.py') if '_base_' not in path.parts]
    names = list_configs()
    assert sorted(names.values()) == sorted(files)
    for name, path in names.items():
        assert find_config(name) == path
        assert 10 < len(describe_config(path)) < 120, name


@pytest.mark.parametrize(
    'name',
    [
        'mini/kbpn_unet',
        'kbpn_unet',
        'kbpn_unet.py',
        'csbsr/mini/kbpn_unet.py',
        'configs/csbsr/mini/kbpn_unet.py',
        r'csbsr\mini\kbpn_unet',
        'csbsr_mm::csbsr/mini/kbpn_unet.py',
        'csbsr_mm::mini/kbpn_unet',
    ],
)
def test_names_of_one_config(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find_config(name) == CONFIGS / 'csbsr/mini/kbpn_unet.py'


def test_a_file_comes_before_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path('quickstart').write_text('x = 1\n')
    assert find_config('quickstart') == Path('quickstart')
    assert find_config('csbsr_mm::quickstart') == CONFIGS / 'csbsr/quickstart.py'


def test_slips_are_answered():
    with pytest.raises(FileNotFoundError, match=r'quikstart does not exist .* did you mean quickstart'):
        find_config('quikstart')
    with pytest.raises(FileNotFoundError, match='`csbsr configs` lists'):
        find_config('nothing/of/the/kind.py')
    with pytest.raises(ValueError, match=r'may be any of .*mini/segmentation_losses/dice'):
        find_config('dice')


def test_index_points_to_files():
    texts = model_index()
    (metafile,) = yaml.safe_load(texts['model-index.yml'])['Import']
    models = yaml.safe_load(texts[metafile])['Models']
    assert {model['Name']: config_root().parent / model['Config'] for model in models} == list_configs()


@pytest.mark.parametrize('name', ['csbsr_mm::csbsr/mini/kbpn_unet.py', 'csbsr_mm::mini/kbpn_unet'])
def test_users_config_inherits_and_builds(name, tmp_path):
    """The scope stays MMSegmentation's, where the components are registered."""
    from mmengine.registry import init_default_scope
    from mmseg.registry import MODELS

    path = tmp_path / 'mine.py'
    path.write_text(f"_base_ = '{name}'\nmodel = dict(task_weight=0.5)\n")
    config = Config.fromfile(path)
    assert '_scope_' not in config.model
    assert config.default_scope == 'mmseg'
    init_default_scope('mmseg')
    assert float(MODELS.build(config.model).task_weight) == 0.5


def test_other_packages_are_looked_up_as_before():
    config = Config.fromstring("_base_ = 'mmseg::_base_/models/fcn_unet_s5-d16.py'", file_format='.py')
    assert config.model.backbone.type == 'UNet'


def test_get_config():
    import mmengine.hub

    config = mmengine.hub.get_config('csbsr_mm::csbsr/quickstart.py')
    assert config.model.type == 'BlindSRSegmentor'
    with pytest.raises(ValueError, match='no published weights'):
        mmengine.hub.get_config('csbsr_mm::csbsr/quickstart.py', pretrained=True)


def test_inferencer_by_name():
    from mmseg.apis import MMSegInferencer

    inferencer = MMSegInferencer('quickstart', device='cpu')
    assert type(inferencer.model).__name__ == 'BlindSRSegmentor'
    with pytest.raises(ValueError, match='Cannot find model'):
        MMSegInferencer('no_such_model')
