"""CSSR without joint learning: DBPN is trained, then frozen, then PSPNet learns on its images (Table III)."""

_base_ = '../dbpn_pspnet_khanhha.py'
step2 = _base_.default_hooks.training_stage.stages[:-1]
default_hooks = dict(training_stage=dict(stages=[*step2, dict(frozen=['sr'], task_weight=1.0)]))
