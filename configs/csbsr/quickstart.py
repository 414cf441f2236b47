"""CSBSR in minutes on a CPU: a small KBPN and a small U-Net on rendered crack photos.

The paper's Steps 2 and 3 in the order of the paper, shortened: S alone with the true blur kernel, the
kernel predictors alone, then everything together with β = 0.3.
"""

_base_ = [
    '../_base_/models/unet_small.py',
    '../_base_/datasets/crack_demo.py',
    '../_base_/default_hooks.py',
    '../_base_/schedules/adam.py',
    '../_base_/default_runtime.py',
]
work_dir = 'work_dirs/quickstart'

model = dict(
    _delete_=True,
    type='BlindSRSegmentor',
    data_preprocessor=dict(size_divisor=2),
    sr=dict(type='KBPN', num_stages=2, channels=32),
    segmentor=_base_.model,
    # The kernel's squared error is about 1e-4. The default weight of 0.2 suits 200,000 iterations; a few
    # hundred need a larger one to learn the kernel at all.
    sr_loss=dict(type='BlindSRLoss', kernel_weight=100.0),
    task_weight=0.3,
)

warmup, predictors, total = 150, 200, 380
# No validation: the test follows at once.
train_cfg = dict(max_iters=total, val_begin=total + 1)
optim_wrapper = dict(optimizer=dict(lr=1e-3), clip_grad=dict(max_norm=1.0))
param_scheduler = [
    dict(type='PolyLR', power=0.9, eta_min=1e-5, begin=predictors, end=total, by_epoch=False),
]
default_hooks = dict(
    logger=dict(interval=20),
    checkpoint=dict(interval=100),
    training_stage=dict(
        type='TrainingStageHook',
        stages=[
            dict(end=warmup, frozen=['sr.kernel_predictor'], use_gt_kernel=True, task_weight=0.0),
            dict(end=predictors, trainable=['sr.kernel_predictor'], task_weight=0.0),
            dict(),
        ],
    ),
    boundary_rebalance=dict(type='BoundaryRebalanceHook', end=0.5, fraction=1.0, begin=predictors),
)
