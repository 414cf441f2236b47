"""CSSR: the non-blind DBPN in place of KBPN, in front of PSPNet; L1 as L_S, β = 0.7 (Table III)."""

_base_ = [
    '../_base_/models/psp_resnet34.py',
    '../_base_/datasets/khanhha.py',
    '../_base_/schedules/cssr_180k.py',
    '../_base_/default_runtime.py',
]
model = dict(
    _delete_=True,
    type='BlindSRSegmentor',
    sr=dict(type='DBPN'),
    segmentor=_base_.model,
    sr_loss=dict(type='BlindSRLoss', hr_weight=1.0, lr_weight=0.0, kernel_weight=0.0),
    task_weight=0.7,
)
