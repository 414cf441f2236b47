"""CSSR without joint learning: DBPN is trained, then frozen, then PSPNet learns on its images (Table III)."""

_base_ = '../dbpn_pspnet_khanhha.py'
warm_up, rebalance = _base_.custom_hooks
separate = [*warm_up.stages[:-1], dict(frozen=['sr'], task_weight=1.0)]
custom_hooks = [dict(type='TrainingStageHook', stages=separate), rebalance]
