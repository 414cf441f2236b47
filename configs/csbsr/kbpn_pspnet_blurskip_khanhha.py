"""CSBSR with PSPNet and blur skip: only the blur skip trains, on top of kbpn_pspnet_khanhha.py (Table VI)."""

_base_ = [
    '../_base_/models/psp_resnet34.py',
    '../_base_/datasets/khanhha.py',
    '../_base_/schedules/blur_skip_30k.py',
    '../_base_/default_runtime.py',
]
load_from = 'work_dirs/kbpn_pspnet_khanhha/iter_180000.pth'
model = dict(
    _delete_=True,
    type='BlindSRSegmentor',
    data_preprocessor=dict(type='BlindSRDataPreProcessor', scale=4),
    sr=dict(type='KBPN'),
    segmentor=_base_.model,
    blur_skip=dict(type='BlurSkipNeck', in_channels=64, norm_cfg=_base_.norm_cfg),
    sr_loss=dict(type='BlindSRLoss'),
    task_weight=0.3,
    normalize='instance',
)
