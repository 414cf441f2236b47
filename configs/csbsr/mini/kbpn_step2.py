"""Step 2 at the mini scale: 1,200 iterations of the kernel estimator, then 400 of S with the true kernel."""

_base_ = [
    '../../_base_/models/csbsr_small.py',
    '../../_base_/datasets/khanhha_mini.py',
    '../../_base_/schedules/sr_mini.py',
    '../../_base_/default_runtime.py',
]

model = dict(
    _delete_=True,
    type='BlindSRPretrainer',
    data_preprocessor=dict(size_divisor=2),
    sr=_base_.sr,
    sr_loss=_base_.sr_loss,
)
train_dataloader = dict(batch_size=6)
estimator = 1200
total = estimator + _base_.iterations
train_cfg = dict(max_iters=total, val_begin=total + 1)
default_hooks = dict(
    training_stage=dict(
        type='TrainingStageHook',
        stages=[
            dict(end=estimator, trainable=['sr.kernel_predictor'], kernel_only=True),
            dict(frozen=['sr.kernel_predictor'], use_gt_kernel=True),
        ],
    ),
)
test_evaluator = [dict(type='SRQualityMetric')]
