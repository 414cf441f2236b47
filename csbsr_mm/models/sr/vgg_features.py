"""ImageNet weights of VGG-16 for the first four convolutions of KBPN."""

from __future__ import annotations

from mmengine.logging import print_log
from mmengine.runner import CheckpointLoader
from torch import nn


def load_vgg_features(features: nn.Sequential, source: str) -> None:
    """Copy VGG-16's first four convolutions into ``features``.

    Args:
        features: A sequence whose convolutions have VGG-16's shapes.
        source: ``imagenet://vgg16``, https URL or local file of a state dict with the common names
            ``features.0.weight``, ..., or with the bare ``0.weight``, ...

    Raises:
        RuntimeError: ``source`` cannot be read, or lacks one of the convolutions.
    """
    if source.startswith('torchvision://'):
        raise RuntimeError(f'VGG-16 weights: {source!r} needs torchvision; give an https URL or a local file')
    try:
        state = CheckpointLoader.load_checkpoint(source, map_location='cpu')
    except Exception as error:
        raise RuntimeError(
            f'VGG-16 weights cannot be read from {source!r} ({type(error).__name__}: {error}); give an '
            'https URL that this machine reaches, or the path of a downloaded file'
        ) from error
    state = state.get('state_dict', state)
    # A max-pool stands between the second and the third convolution of VGG-16, and not here.
    convs = [layer for layer in features if isinstance(layer, nn.Conv2d)]
    for conv, index in zip(convs, (0, 2, 5, 7), strict=True):
        for kind in ('weight', 'bias'):
            name = f'features.{index}.{kind}'
            value = state.get(name, state.get(f'{index}.{kind}'))
            target = getattr(conv, kind)
            if value is None or value.shape != target.shape:
                found = 'missing' if value is None else f'of shape {tuple(value.shape)}'
                raise RuntimeError(
                    f'VGG-16 weights: {name} is {found} in {source!r}; give VGG-16 without batch norm'
                )
            target.data.copy_(value)
    print_log(f'loaded VGG-16 features from {source}', logger='current')
