"""Step 1: S alone on DIV2K and Flickr2K, 200,000 iterations of six patches."""

_base_ = './csbsr_180k.py'

train_cfg = dict(max_iters=200000, val_interval=20000)
param_scheduler = None
custom_hooks = []
