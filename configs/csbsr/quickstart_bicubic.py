"""What the quickstart compares with: the same U-Net, trained as long, on bicubically enlarged images."""

_base_ = './quickstart.py'
work_dir = 'work_dirs/quickstart_bicubic'

model = dict(
    sr=dict(_delete_=True, type='BicubicUpsampler', scale=4),
    sr_loss=None,
    task_weight=1.0,
)

iterations = _base_.total - _base_.warmup
train_cfg = dict(max_iters=iterations)
param_scheduler = [dict(type='PolyLR', power=0.9, eta_min=1e-5, begin=0, end=iterations, by_epoch=False)]
# S learns nothing: no stages.
default_hooks = dict(training_stage=dict(stages=[dict()]), boundary_rebalance=dict(begin=0))
