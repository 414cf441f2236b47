"""DSRL: 30,000 iterations of the super-resolution branch alone, then 150,000 of everything.

Six images an update at 2e-5.
"""

_base_ = ['../default_hooks.py', './adam.py']

global_batch_size = 6
train_cfg = dict(max_iters=180000, val_interval=10000)
default_hooks = dict(
    training_stage=dict(type='TrainingStageHook', stages=[dict(end=30000, task_weight=0.0), dict()]),
)
