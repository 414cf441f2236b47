"""The model on board: a small KBPN that reads the blur from texture, and a U-Net, on rendered cracks alone.

`csbsr render-demo data/crack_varied --train 1800 --test 32 --varied --seed 7` makes the photos. Blur is
Gaussian, motion, defocus or a mixture; the dark rim that gives it away is cut; noise and JPEG come on top.
"""

_base_ = [
    '../_base_/models/csbsr_small.py',
    '../_base_/datasets/crack_demo.py',
    '../_base_/default_hooks.py',
    '../_base_/schedules/adam.py',
    '../_base_/default_runtime.py',
]
work_dir = 'work_dirs/rendered'
data_root = 'data/crack_varied'

model = dict(sr=dict(init_cfg=None))  # The file was trained from the released initial values.

degradation = dict(
    type='BlindDegradation',
    scale={{_base_.scale}},
    kinds=dict(gaussian=0.6, motion=0.1, defocus=0.1, mixture=0.2),
    cut_border=True,
    noise=(0.0, 4.0),
    jpeg_quality=(60, 100),
    quantize=True,
)
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='BinarizeMask', threshold=127),
    dict(type='KeyedRandomCrop', crop_size=152, crack_probability=0.6),  # 128 after the border is cut
    dict(type='KeyedRandomFlip'),
    degradation,
    dict(type='PackBlindSRInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='BinarizeMask', threshold=127),
    dict(degradation, only_dataset_images=True),
    dict(type='PackBlindSRInputs'),
]
train_dataloader = dict(num_workers=1, dataset=dict(data_root=data_root, pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(data_root=data_root, pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(data_root=data_root, pipeline=test_pipeline))

estimator, warmup, total = 2400, 2800, 5600
train_cfg = dict(max_iters=total, val_begin=total + 1)
optim_wrapper = dict(optimizer=dict(lr=1e-3), clip_grad=dict(max_norm=1.0))
param_scheduler = [dict(type='PolyLR', power=0.9, eta_min=1e-5, begin=warmup, end=total, by_epoch=False)]
default_hooks = dict(
    logger=dict(interval=20),
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
