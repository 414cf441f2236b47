"""Without joint learning: KBPN is trained, then frozen, then U-Net learns on its images (Table II)."""

_base_ = '../kbpn_unet_khanhha.py'
warm_up, rebalance = _base_.custom_hooks
separate = [*warm_up.stages[:-1], dict(frozen=['sr'], task_weight=1.0)]
custom_hooks = [dict(type='TrainingStageHook', stages=separate), rebalance]
