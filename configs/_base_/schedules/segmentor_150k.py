"""Step 3 for a segmentor in front of which nothing learns: 150,000 iterations, in which α rises."""

_base_ = '../default_hooks.py'

global_batch_size = 6
train_cfg = dict(type='ResumableIterBasedTrainLoop', max_iters=150000, val_interval=10000)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='Adam', lr=2e-5, betas=(0.9, 0.999), eps=1e-8),
)

default_hooks = dict(boundary_rebalance=dict(type='BoundaryRebalanceHook'))
