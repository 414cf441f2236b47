"""Steps 2 and 3 of the paper in one run: 30,000 iterations of S alone, then 150,000 jointly, at 2e-5.

Until 10,000 S learns with the true blur kernel, until 20,000 the kernel predictors learn, until 30,000 both
(the released code's warm-up); then β is the model's `task_weight`, and α rises by 0.01 an epoch.
Six images an update, over however many GPUs: see docs/training.md.
"""

_base_ = ['../default_hooks.py', './adam.py']

global_batch_size = 6
train_cfg = dict(max_iters=180000, val_interval=10000)
default_hooks = dict(
    training_stage=dict(
        type='TrainingStageHook',
        stages=[
            dict(end=10000, frozen=['sr.kernel_predictor'], use_gt_kernel=True, task_weight=0.0),
            dict(end=20000, trainable=['sr.kernel_predictor'], task_weight=0.0),
            dict(end=30000, task_weight=0.0),
            dict(),
        ],
    ),
    boundary_rebalance=dict(type='BoundaryRebalanceHook', begin=30000),
)
