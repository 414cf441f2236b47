"""The released way: the blur skip learns alone, on top of kbpn_pspnet_khanhha.py, which stays as it is."""

_base_ = [
    '../../_base_/models/psp_resnet34.py',
    '../../_base_/datasets/khanhha.py',
    '../../_base_/schedules/blur_skip_30k.py',
    '../../_base_/default_runtime.py',
]
load_from = 'work_dirs/kbpn_pspnet_khanhha/iter_180000.pth'
model = dict(
    _delete_=True,
    type='BlindSRSegmentor',
    sr=dict(type='KBPN'),
    segmentor=_base_.model,
    blur_skip=dict(type='BlurSkipNeck', in_channels=64, norm_cfg=_base_.norm_cfg),
    sr_loss=dict(type='BlindSRLoss'),
    task_weight=0.3,
)
