"""CSBSR at a size that two CPU cores train in under an hour: KBPN with 2 stages of 32 channels, small U-Net.

Everything of the method is there: the warm-up of Step 2, joint training with β = 0.3, the rising α.
"""

_base_ = [
    '../_base_/models/unet_small.py',
    '../_base_/datasets/khanhha_mini.py',
    '../_base_/default_hooks.py',
    '../_base_/schedules/adam.py',
    '../_base_/default_runtime.py',
]

model = dict(
    _delete_=True,
    type='BlindSRSegmentor',
    data_preprocessor=dict(size_divisor=2),
    sr=dict(type='KBPN', num_stages=2, channels=32),
    segmentor=_base_.model,
    sr_loss=dict(type='BlindSRLoss'),
    task_weight=0.3,
)

warmup, predictors, total = 300, 450, 1650
train_cfg = dict(max_iters=total, val_begin=total)
optim_wrapper = dict(optimizer=dict(lr=1e-3), clip_grad=dict(max_norm=1.0))
param_scheduler = [
    dict(type='PolyLR', power=0.9, eta_min=1e-5, begin=predictors, end=total, by_epoch=False),
]
default_hooks = dict(
    logger=dict(interval=25),
    checkpoint=dict(interval=150),
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
