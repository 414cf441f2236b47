"""Step 2: S alone on crack photos, 30,000 iterations of six images at 2e-5.

The warm-up of the kernel predictors, until 20,000, is the released code's.
"""

_base_ = '../default_hooks.py'

global_batch_size = 6
train_cfg = dict(type='ResumableIterBasedTrainLoop', max_iters=30000, val_interval=10000)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='Adam', lr=2e-5, betas=(0.9, 0.999), eps=1e-8),
)

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
