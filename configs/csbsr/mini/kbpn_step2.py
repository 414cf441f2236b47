"""Step 2 at the mini scale: KBPN alone, its kernel predictors' warm-up included; 400 iterations."""

_base_ = [
    '../../_base_/datasets/khanhha_mini.py',
    '../../_base_/schedules/sr_mini.py',
    '../../_base_/default_runtime.py',
]

model = dict(
    type='BlindSRPretrainer',
    data_preprocessor=dict(size_divisor=2),
    sr=dict(type='KBPN', num_stages=2, channels=32),
    sr_loss=dict(type='BlindSRLoss'),
)
train_dataloader = dict(batch_size=6)
default_hooks = dict(
    training_stage=dict(
        type='TrainingStageHook',
        stages=[
            dict(end=250, frozen=['sr.kernel_predictor'], use_gt_kernel=True),
            dict(end=325, trainable=['sr.kernel_predictor']),
            dict(),
        ],
    ),
)
test_evaluator = [dict(type='SRQualityMetric')]
