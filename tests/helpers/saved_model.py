"""A tiny model on disk, as config file and checkpoint."""

import torch
from mmengine.config import Config, ConfigDict
from mmengine.registry import init_default_scope
from mmengine.runner import save_checkpoint
from mmseg.registry import MODELS


def save_model(folder, model, **settings):
    """Write a config with the model and its initial weights; returns the paths of both and the model.

    Settings are further entries of the config.
    """
    config = Config(dict(model=model, default_scope='mmseg', **settings))
    paths = str(folder / 'tiny.py'), str(folder / 'tiny.pth')
    config.dump(paths[0])
    init_default_scope('mmseg')
    torch.manual_seed(0)
    network = MODELS.build(ConfigDict(config.model))
    network.init_weights()
    save_checkpoint(dict(state_dict=network.state_dict(), meta={}), paths[1])
    return *paths, network
