"""Step 3 for a segmentor in front of which nothing learns: 150,000 iterations, in which α rises."""

_base_ = ['../default_hooks.py', './adam.py']

global_batch_size = 6
train_cfg = dict(max_iters=150000, val_interval=10000)
default_hooks = dict(boundary_rebalance=dict(type='BoundaryRebalanceHook'))
