"""Steps 2 and 3 for an SR network that estimates no kernel (CSSR): no warm-up of kernel predictors."""

_base_ = './csbsr_180k.py'

custom_hooks = [
    dict(type='TrainingStageHook', stages=[dict(end=30000, task_weight=0.0), dict()]),
    dict(type='BoundaryRebalanceHook', begin=30000),
]
