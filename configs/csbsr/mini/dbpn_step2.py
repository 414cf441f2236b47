"""Step 2 of CSSR at the mini scale: DBPN alone, with L1 as its loss; 400 iterations."""

_base_ = [
    '../../_base_/datasets/khanhha_mini.py',
    '../../_base_/schedules/sr_mini.py',
    '../../_base_/default_runtime.py',
]

model = dict(
    type='BlindSRPretrainer',
    sr=dict(type='DBPN', num_stages=2, channels=32),
    sr_loss=dict(type='BlindSRLoss', hr_weight=1.0, lr_weight=0.0, kernel_weight=0.0),
)
train_dataloader = dict(batch_size=6)
test_evaluator = [dict(type='SRQualityMetric')]
