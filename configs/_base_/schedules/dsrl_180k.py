"""DSRL: 30,000 iterations of the super-resolution branch alone, then 150,000 of everything.

Six images an update at 2e-5.
"""

_base_ = '../default_hooks.py'

global_batch_size = 6
train_cfg = dict(type='ResumableIterBasedTrainLoop', max_iters=180000, val_interval=10000)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='Adam', lr=2e-5, betas=(0.9, 0.999), eps=1e-8),
)
default_hooks = dict(
    training_stage=dict(type='TrainingStageHook', stages=[dict(end=30000, task_weight=0.0), dict()]),
)
