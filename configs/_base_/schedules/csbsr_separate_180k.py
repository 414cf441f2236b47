"""Without joint learning (Table II): S is trained, then frozen, then C learns on its images."""

_base_ = './csbsr_180k.py'

custom_hooks = [
    dict(
        type='TrainingStageHook',
        stages=[
            dict(end=10000, frozen=['sr.kernel_predictor'], use_gt_kernel=True, task_weight=0.0),
            dict(end=20000, trainable=['sr.kernel_predictor'], task_weight=0.0),
            dict(end=30000, task_weight=0.0),
            dict(frozen=['sr'], task_weight=1.0),
        ],
    ),
    dict(type='BoundaryRebalanceHook', begin=30000),
]
