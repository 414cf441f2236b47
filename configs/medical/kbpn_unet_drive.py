"""CSBSR on retina vessels (DRIVE), the paper's outlook: KBPN in front of the U-Net, β = 0.3.

The stages are the paper's in their order, shortened to the 40,000 iterations of MMSegmentation's DRIVE
configs. Nothing is tuned for retinas; the paper reports no figures for them.
"""

_base_ = [
    '../_base_/models/unet_vgg16.py',
    '../_base_/datasets/drive.py',
    '../_base_/schedules/csbsr_180k.py',
    '../_base_/default_runtime.py',
]
model = dict(
    _delete_=True,
    type='BlindSRSegmentor',
    sr=dict(type='KBPN'),
    segmentor=_base_.model,
    sr_loss=dict(type='BlindSRLoss'),
    task_weight=0.3,
)

train_cfg = dict(max_iters=40000, val_interval=4000)
optim_wrapper = dict(optimizer=dict(lr=2e-4))
param_scheduler = [dict(type='MultiStepLR', milestones=[7500], gamma=0.1, by_epoch=False)]
default_hooks = dict(
    training_stage=dict(
        stages=[
            dict(end=2500, frozen=['sr.kernel_predictor'], use_gt_kernel=True, task_weight=0.0),
            dict(end=5000, trainable=['sr.kernel_predictor'], task_weight=0.0),
            dict(end=7500, task_weight=0.0),
            dict(),
        ],
    ),
    # An epoch of DRIVE has four iterations: α rises with the share of the training, not by the epoch.
    boundary_rebalance=dict(fraction=1.0, begin=7500),
)
