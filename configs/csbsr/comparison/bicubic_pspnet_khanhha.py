"""PSPNet on bicubically enlarged images: no learned super-resolution. C trains as in Step 3."""

_base_ = [
    '../../_base_/models/psp_resnet34.py',
    '../../_base_/datasets/khanhha.py',
    '../../_base_/schedules/segmentor_150k.py',
    '../../_base_/default_runtime.py',
]
model = dict(
    _delete_=True,
    type='BlindSRSegmentor',
    sr=dict(type='BicubicUpsampler', scale=4),
    segmentor=_base_.model,
    task_weight=1.0,
)
