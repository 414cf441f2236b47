"""The blur skip learns together with S and C, in place of alone (Table VI)."""

_base_ = '../kbpn_pspnet_blurskip_khanhha.py'
custom_hooks = [dict(type='TrainingStageHook', stages=[dict()]), _base_.custom_hooks[1]]
