"""PSPNet on bicubically enlarged images: no learned super-resolution. C trains as in Step 3."""

_base_ = '../kbpn_pspnet_khanhha.py'

model = dict(sr=dict(_delete_=True, type='BicubicUpsampler', scale=4), sr_loss=None, task_weight=1.0)
train_cfg = dict(max_iters=150000)
optim_wrapper = dict(optimizer=dict(lr=2e-5))
param_scheduler = None
custom_hooks = [dict(type='BoundaryRebalanceHook')]
