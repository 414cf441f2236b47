"""ImageNet weights by name: from the local folder, from the web, or a remedy."""

from urllib.error import URLError

import pytest
import torch
from helpers.base_models import FOLDER, build
from mmengine.config import Config
from mmengine.runner import CheckpointLoader

from csbsr_mm.models.backbones import VGG
from csbsr_mm.models.utils.pretrained import IMAGENET_WEIGHTS, load_imagenet


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """PyTorch's checkpoint folder, empty, on a machine without a network."""

    def offline(filename, map_location=None):
        local = checkpoints / filename.rsplit('/', 1)[1]
        if local.exists():
            return torch.load(local, map_location)
        raise URLError('no route to host')

    checkpoints = tmp_path / 'checkpoints'
    checkpoints.mkdir()
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path))
    monkeypatch.setitem(CheckpointLoader._schemes, 'https://', offline)
    return checkpoints


def test_backbone_starts_from_the_local_copy(folder):
    torch.manual_seed(0)
    weights = VGG(16).state_dict()
    weights['classifier.0.weight'] = torch.rand(3)
    torch.save(weights, folder / 'vgg16-397923af.pth')
    network = VGG(16, init_cfg=dict(type='Pretrained', checkpoint='imagenet://vgg16'))
    network.init_weights()
    for name, value in network.state_dict().items():
        assert torch.equal(value, weights[name])


def test_says_what_to_do_where_neither_can_be_read(folder):
    network = VGG(16, init_cfg=dict(type='Pretrained', checkpoint='imagenet://vgg16'))
    with pytest.raises(OSError, match='no route to host') as error:
        network.init_weights()
    for part in (str(folder), 'https://download.pytorch.org/models/vgg16-397923af.pth', 'init_cfg=dict('):
        assert part in str(error.value)


def test_unknown_name():
    with pytest.raises(ValueError, match=r"'vgg17'; there are vgg16,"):
        load_imagenet('imagenet://vgg17')


def named_checkpoints():
    """Every ``imagenet://`` name in the base configs, with its config."""
    for path in sorted(FOLDER.glob('*.py')):
        init_cfg = Config.fromfile(path).model.get('backbone', {}).get('init_cfg')
        if init_cfg:
            yield pytest.param(path.stem, init_cfg.checkpoint, id=path.stem)


@pytest.mark.parametrize(('name', 'checkpoint'), list(named_checkpoints()))
def test_configs_name_weights_of_the_list(name, checkpoint):
    assert checkpoint.removeprefix('imagenet://') in IMAGENET_WEIGHTS
    with torch.device('meta'):
        model = build(Config.fromfile(FOLDER / f'{name}.py').model)
    assert model.backbone.init_cfg['checkpoint'] == checkpoint
