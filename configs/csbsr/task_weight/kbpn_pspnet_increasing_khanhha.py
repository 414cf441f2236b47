"""CSBSR with a task weight β that rises from 0 to 1 between iterations 30,000 and 170,000 (Table III)."""

_base_ = '../kbpn_pspnet_khanhha.py'
default_hooks = dict(
    task_weight=dict(type='TaskWeightHook', task_weight=[(30000, 0.0), (170000, 1.0)]),
)
