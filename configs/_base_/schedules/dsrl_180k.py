"""DSRL: everything learns together from the start, 180,000 iterations of six images at 2e-5."""

_base_ = '../default_hooks.py'

global_batch_size = 6
train_cfg = dict(type='ResumableIterBasedTrainLoop', max_iters=180000, val_interval=10000)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='Adam', lr=2e-5, betas=(0.9, 0.999), eps=1e-8),
)
