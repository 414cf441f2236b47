"""ImageNet weights by name: ``checkpoint='imagenet://vgg16'`` in any ``init_cfg``."""

from __future__ import annotations

from pathlib import Path

import torch
from mmengine.runner import CheckpointLoader

PREFIX = 'imagenet://'

# No `torchvision://`: it imports torchvision, whose mere presence beside a CPU build of torch breaks
# MMEngine's Runner.
IMAGENET_WEIGHTS = {
    'vgg16': 'https://download.pytorch.org/models/vgg16-397923af.pth',
    'vgg16_bn': 'https://download.pytorch.org/models/vgg16_bn-6c64b313.pth',
    'resnet34': 'https://download.pytorch.org/models/resnet34-b627a593.pth',
    'resnet101': 'https://download.pytorch.org/models/resnet101-5d3b4d8f.pth',
    'resnet101_v1c': 'https://mmassets.onedl.ai/pretrain/third_party/resnet101_v1c-e67eebb6.pth',
    'hrnetv2_w48': 'https://mmassets.onedl.ai/pretrain/third_party/hrnetv2_w48-d2186c55.pth',
}


@CheckpointLoader.register_scheme(prefixes=PREFIX)
def load_imagenet(filename: str, map_location: str | torch.device | None = 'cpu') -> dict:
    """Load ImageNet weights from PyTorch's checkpoint folder, or else from the web into that folder.

    Args:
        filename: Name in :data:`IMAGENET_WEIGHTS`, with or without ``imagenet://`` in front.
        map_location: As in ``torch.load``.

    Returns:
        The checkpoint as stored.

    Raises:
        ValueError: A name that is not in the list.
        OSError: The weights can be read neither from the folder nor from the web; says what to do.
    """
    name = filename.removeprefix(PREFIX)
    if name not in IMAGENET_WEIGHTS:
        raise ValueError(
            f'no ImageNet weights are called {name!r}; there are {", ".join(IMAGENET_WEIGHTS)}. For '
            f"others write init_cfg=dict(type='Pretrained', checkpoint='/path/to/file.pth or https://...')"
        )
    url = IMAGENET_WEIGHTS[name]
    local = Path(torch.hub.get_dir()) / 'checkpoints' / url.rsplit('/', 1)[1]
    try:
        return CheckpointLoader.load_checkpoint(url, map_location, logger=None)
    except (OSError, RuntimeError) as error:
        raise OSError(
            f'ImageNet weights {name!r} can be read neither from {local} nor from {url} '
            f'({type(error).__name__}: {error}). Download the file elsewhere and put it into '
            f"{local.parent}, or name it in the config: init_cfg=dict(type='Pretrained', "
            f"checkpoint='/path/to/{local.name}'), or train from scratch with init_cfg=None"
        ) from error
