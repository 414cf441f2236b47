"""Step 1: S alone on DIV2K and Flickr2K, 200,000 iterations of six patches at 2e-4."""

_base_ = ['../default_hooks.py', './adam.py']

global_batch_size = 6
train_cfg = dict(max_iters=200000, val_interval=20000)
optim_wrapper = dict(optimizer=dict(lr=2e-4))
