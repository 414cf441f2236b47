"""Step 1: S alone on DIV2K and Flickr2K, 200,000 iterations of six patches at 2e-4."""

_base_ = '../default_hooks.py'

global_batch_size = 6
train_cfg = dict(type='ResumableIterBasedTrainLoop', max_iters=200000, val_interval=20000)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='Adam', lr=2e-4, betas=(0.9, 0.999), eps=1e-8),
)
