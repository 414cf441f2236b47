"""The released way at the mini scale: the blur skip learns alone, on top of kbpn_unet.py's model."""

_base_ = './kbpn_unet.py'

model = dict(
    blur_skip=dict(type='BlurSkipNeck', in_channels=_base_.channels, kernel_code=16, norm_cfg=_base_.norm_cfg)
)

# A fifth of Step 3, as in ../../_base_/schedules/blur_skip_30k.py.
iterations = 80
train_cfg = dict(max_iters=iterations, val_begin=iterations + 1)
param_scheduler = [dict(type='PolyLR', power=0.9, eta_min=1e-5, begin=0, end=iterations, by_epoch=False)]
default_hooks = dict(
    training_stage=dict(type='TrainingStageHook', stages=[dict(trainable=['blur_skip'], task_weight=1.0)]),
    boundary_rebalance=dict(_delete_=True, type='BoundaryRebalanceHook', start=0.99, end=0.99),
)
