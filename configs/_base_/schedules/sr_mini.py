"""Step 2 of the mini scale: S alone, 400 iterations at a constant learning rate."""

_base_ = ['../default_hooks.py', './adam.py']

global_batch_size = 6
iterations = 400
train_cfg = dict(max_iters=iterations, val_begin=iterations + 1)
optim_wrapper = dict(optimizer=dict(lr=1e-3), clip_grad=dict(max_norm=1.0))
default_hooks = dict(
    logger=dict(interval=20),
    checkpoint=dict(interval=100, max_keep_ckpts=1),
    acceleration=dict(type='AccelerationHook', channels_last=True),
)
