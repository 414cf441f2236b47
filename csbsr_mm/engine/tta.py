"""Test-time augmentation for configs that do not spell it out."""

from __future__ import annotations

from mmengine.config import Config

FLIPS = [dict(type='RandomFlip', prob=0.0, direction='horizontal')] + [
    dict(type='RandomFlip', prob=1.0, direction=direction)
    for direction in ('horizontal', 'vertical', 'diagonal')
]


def enable_tta(cfg: Config) -> None:
    """Test flipped versions of each photo too, and average the predictions.

    A config's own ``tta_pipeline`` and ``tta_model`` are used, as in MMSegmentation. Where there are none,
    the test pipeline is run with four flips before its last transform, which packs, and
    ``BlindSRTTAModel`` averages.

    Args:
        cfg: config, changed in place.

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
        cfg.tta_pipeline = [*steps, dict(type='TestTimeAug', transforms=[FLIPS, [pack]])]
    dataset.pipeline = cfg.tta_pipeline
    cfg.model = {**(cfg.get('tta_model') or dict(type='BlindSRTTAModel')), 'module': cfg.model}
