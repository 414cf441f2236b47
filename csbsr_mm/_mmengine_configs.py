"""MMEngine finds the configs of csbsr_mm: ``_base_ = 'csbsr_mm::...'``, ``get_config``, inferencers by name.

MMEngine knows the packages of OpenMMLab by heart and gives a config from ``NAME::`` the default scope NAME.
The components here are registered in MMSegmentation's scope, and a clone has no installed folder to look
into. So three look-ups ask :mod:`csbsr_mm.config_library` first; every other name goes on as before.
"""

from __future__ import annotations

import functools
from typing import Any

from .config_library import PREFIX, find_config, list_configs


def serve_configs() -> None:
    """Let MMEngine's look-ups find our configs; calling it again changes nothing."""
    import mmengine.config.utils
    import mmengine.hub
    from mmengine.config import Config
    from mmengine.infer.infer import BaseInferencer

    if 'csbsr_mm' in mmengine.config.utils.MODULE2PACKAGE:
        return
    mmengine.config.utils.MODULE2PACKAGE['csbsr_mm'] = 'csbsr_mm'
    Config._get_cfg_path = staticmethod(_base_path(Config._get_cfg_path))
    get_config = _get_config(mmengine.hub.get_config, Config)
    mmengine.hub.get_config = mmengine.hub.hub.get_config = get_config
    BaseInferencer._load_model_from_metafile = _load_by_name(BaseInferencer._load_model_from_metafile, Config)


def _base_path(original: Any) -> Any:
    @functools.wraps(original)
    def get_cfg_path(cfg_path: str, filename: str) -> tuple[str, str | None]:
        if cfg_path.startswith(PREFIX):
            return str(find_config(cfg_path)), None
        return original(cfg_path, filename)

    return get_cfg_path


def _get_config(original: Any, config: Any) -> Any:
    @functools.wraps(original)
    def get_config(cfg_path: str, pretrained: bool = False):
        if cfg_path.startswith(PREFIX):
            if pretrained:
                raise ValueError(f'{cfg_path} has no published weights; leave out pretrained=True')
            return config.fromfile(find_config(cfg_path))
        return original(cfg_path, pretrained)

    return get_config


def _load_by_name(original: Any, config: Any) -> Any:
    @functools.wraps(original)
    def load_model_from_metafile(self: Any, model: str) -> tuple:
        if model.startswith(PREFIX) or model in list_configs():
            return config.fromfile(find_config(model)), None
        return original(self, model)

    return load_model_from_metafile
