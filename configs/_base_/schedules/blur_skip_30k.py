"""Only the blur skip learns, on top of a trained joint model (`load_from`), which stays as it is.

The paper does not say for how long; 30,000 iterations go through the data 20 times.
"""

_base_ = './csbsr_180k.py'

train_cfg = dict(max_iters=30000, val_interval=5000)
param_scheduler = None
custom_hooks = [
    dict(type='TrainingStageHook', stages=[dict(trainable=['blur_skip'], task_weight=1.0)]),
    # α stays where the joint training left it.
    dict(type='BoundaryRebalanceHook', start=0.99, end=0.99),
]
