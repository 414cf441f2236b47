"""Test-time augmentation for configs that do not spell it out."""

from __future__ import annotations

from mmengine.config import Config
from mmengine.logging import print_log
from mmseg.models.segmentors import EncoderDecoder
from mmseg.registry import MODELS

FLIPS = [dict(type='RandomFlip', prob=0.0, direction='horizontal')] + [
    dict(type='RandomFlip', prob=1.0, direction=direction)
    for direction in ('horizontal', 'vertical', 'diagonal')
]


def enable_tta(cfg: Config) -> None:
    """Test flipped versions of each photo too, and average the predictions.

    A config's own ``tta_pipeline`` and ``tta_model`` are used, as in MMSegmentation; but ``BlindSRTTAModel``
    takes the place of ``SegTTAModel``, which leaves probabilities of the last version only, and of one
    channel takes the sigmoid twice. Where there is no pipeline, the test pipeline is run with flips before
    its last transform, which packs. A model of ours is shown four of them; MMSegmentation's own cannot flip
    a diagonal back, and gets three.

    Args:
        cfg: Config, changed in place.

    Example:
        >>> cfg = Config(dict(model=dict(type='M'), test_dataloader=dict(dataset=dict(
        ...     pipeline=[dict(type='LoadImageFromFile'), dict(type='PackBlindSRInputs')]))))
        >>> enable_tta(cfg)
        >>> [step.type for step in cfg.test_dataloader.dataset.pipeline], cfg.model.type
        (['LoadImageFromFile', 'TestTimeAug'], 'BlindSRTTAModel')
    """
    dataset = cfg.test_dataloader.dataset
    if cfg.get('tta_pipeline') is None:
        *steps, pack = dataset.pipeline
        flips = FLIPS if flips_diagonals(cfg.model) else FLIPS[:-1]
        cfg.tta_pipeline = [*steps, dict(type='TestTimeAug', transforms=[flips, [pack]])]
    dataset.pipeline = cfg.tta_pipeline
    merging = {**(cfg.get('tta_model') or dict(type='BlindSRTTAModel')), 'module': cfg.model}
    if merging['type'] in ('SegTTAModel', 'mmseg.SegTTAModel'):
        merging['type'] = 'BlindSRTTAModel'
        print_log('BlindSRTTAModel merges in place of SegTTAModel', logger='current')
    cfg.model = merging


def flips_diagonals(model: dict) -> bool:
    """Whether a model turns its prediction for a photo flipped along both axes back.

    Args:
        model: Config of the model.
    """
    kind = MODELS.get(model['type'])
    return kind is None or not issubclass(kind, EncoderDecoder)
