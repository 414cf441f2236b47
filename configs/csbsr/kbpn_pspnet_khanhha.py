"""CSBSR with PSPNet: KBPN in front, trained jointly with β = 0.3 (Table II)."""

_base_ = [
    '../_base_/models/psp_resnet34.py',
    '../_base_/datasets/khanhha.py',
    '../_base_/schedules/csbsr_180k.py',
    '../_base_/default_runtime.py',
]
model = dict(
    _delete_=True,
    type='BlindSRSegmentor',
    sr=dict(type='KBPN'),
    segmentor=_base_.model,
    sr_loss=dict(type='BlindSRLoss'),
    task_weight=0.3,
)
