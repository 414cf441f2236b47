"""The model on board, trained further on 630 real photos.

The terms of the photos do not allow passing the weights on.
`data/khanhha_mini` is a part of the Khanhha set, see `docs/data.md`. Its test photos lose the rim and are
degraded by Gaussian blur alone, as those of `../_base_/datasets/khanhha_mini.py`.
"""

_base_ = './rendered.py'

work_dir = 'work_dirs/khanhha_mini'
load_from = 'rendered'
data_root = 'data/khanhha_mini'
train_dataloader = dict(dataset=dict(data_root=data_root))
val_dataloader = dict(dataset=dict(data_root=data_root))
test_dataloader = dict(dataset=dict(data_root=data_root))

total = 400
train_cfg = dict(max_iters=total, val_begin=total + 1)
optim_wrapper = dict(optimizer=dict(lr=5e-4))
param_scheduler = [dict(type='PolyLR', power=0.9, eta_min=1e-5, begin=0, end=total, by_epoch=False)]
default_hooks = dict(
    training_stage=dict(stages=[dict()]),
    boundary_rebalance=dict(start=0.5, end=0.5, begin=0),
)
