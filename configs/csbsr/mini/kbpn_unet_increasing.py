"""CSBSR at the mini scale with a task weight β that rises from 0 to 1 over 14/15 of Step 3 (Table III)."""

_base_ = './kbpn_unet.py'
default_hooks = dict(
    task_weight=dict(type='TaskWeightHook', task_weight=[(1, 0.0), (373, 1.0)]),
)
