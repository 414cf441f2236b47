"""Steps 2 and 3 for an SR network that estimates no kernel (CSSR): no warm-up of kernel predictors."""

_base_ = ['../default_hooks.py', './adam.py']

global_batch_size = 6
train_cfg = dict(max_iters=180000, val_interval=10000)
default_hooks = dict(
    training_stage=dict(type='TrainingStageHook', stages=[dict(end=30000, task_weight=0.0), dict()]),
    boundary_rebalance=dict(type='BoundaryRebalanceHook', begin=30000),
)
