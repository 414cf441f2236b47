"""CSBSR in minutes on a CPU: a small KBPN and a small U-Net on rendered crack photos.

The kernel estimator alone, then S alone with the true blur kernel, then everything together with β = 0.3.
"""

_base_ = [
    '../_base_/models/csbsr_small.py',
    '../_base_/datasets/crack_demo.py',
    '../_base_/default_hooks.py',
    '../_base_/schedules/adam.py',
    '../_base_/default_runtime.py',
]
work_dir = 'work_dirs/quickstart'

estimator, warmup, total = 1500, 1700, 1850
# No validation: the test follows at once.
train_cfg = dict(max_iters=total, val_begin=total + 1)
optim_wrapper = dict(optimizer=dict(lr=1e-3), clip_grad=dict(max_norm=1.0))
param_scheduler = [
    dict(type='PolyLR', power=0.9, eta_min=1e-5, begin=warmup, end=total, by_epoch=False),
]
default_hooks = dict(
    logger=dict(interval=25),
    checkpoint=dict(interval=100),
    training_stage=dict(
        type='TrainingStageHook',
        stages=[
            dict(end=estimator, trainable=['sr.kernel_predictor'], kernel_only=True, task_weight=0.0),
            dict(end=warmup, frozen=['sr.kernel_predictor'], use_gt_kernel=True, task_weight=0.0),
            dict(),
        ],
    ),
    boundary_rebalance=dict(type='BoundaryRebalanceHook', end=0.5, fraction=1.0, begin=warmup),
    acceleration=dict(type='AccelerationHook', channels_last=True),
)
