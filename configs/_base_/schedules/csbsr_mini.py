"""Step 3 of the mini scale: csbsr_180k.py from iteration 30,001 on, shortened to 400 iterations.

α rises to 0.99 over the run; at the paper's scale it ends at 0.98.
"""

_base_ = ['../default_hooks.py', './adam.py']

global_batch_size = 6
iterations = 400
train_cfg = dict(max_iters=iterations, val_begin=iterations + 1)
optim_wrapper = dict(optimizer=dict(lr=1e-3), clip_grad=dict(max_norm=1.0))
param_scheduler = [dict(type='PolyLR', power=0.9, eta_min=1e-5, begin=0, end=iterations, by_epoch=False)]
default_hooks = dict(
    logger=dict(interval=20),
    checkpoint=dict(interval=100, max_keep_ckpts=1),
    acceleration=dict(type='AccelerationHook', channels_last=True),
    boundary_rebalance=dict(type='BoundaryRebalanceHook', fraction=1.0),
)
