"""SrcNet: an SR network is trained, then frozen, then SegNet learns on its images (Table II b)."""

_base_ = [
    '../../_base_/models/segnet.py',
    '../../_base_/datasets/khanhha.py',
    '../../_base_/schedules/separate_180k.py',
    '../../_base_/default_runtime.py',
]
model = dict(
    _delete_=True,
    type='BlindSRSegmentor',
    sr=dict(type='SrcNet'),
    segmentor=_base_.model,
    sr_loss=dict(type='BlindSRLoss', hr_weight=1.0, lr_weight=0.0, kernel_weight=0.0),
)
