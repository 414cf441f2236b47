"""Step 2: S alone on crack photos, 30,000 iterations of six images at 2e-5.

The warm-up of the kernel predictors, until 20,000, is the released code's.
"""

_base_ = ['../default_hooks.py', './adam.py']

global_batch_size = 6
train_cfg = dict(max_iters=30000, val_interval=10000)
default_hooks = dict(
    training_stage=dict(
        type='TrainingStageHook',
        stages=[
            dict(end=10000, frozen=['sr.kernel_predictor'], use_gt_kernel=True),
            dict(end=20000, trainable=['sr.kernel_predictor']),
            dict(),
        ],
    ),
)
