"""Step 2 alone: KBPN on crack photos, 30,000 iterations, warm-up of its kernel predictors included.

It has no segmentor, so that one run serves the Step 3 of every network. It starts from Step 1.
"""

_base_ = [
    '../../_base_/datasets/khanhha.py',
    '../../_base_/schedules/sr_step2_30k.py',
    '../../_base_/default_runtime.py',
]
load_from = 'work_dirs/kbpn_div2k_flickr2k/iter_200000.pth'
model = dict(
    type='BlindSRPretrainer',
    sr=dict(type='KBPN'),
    sr_loss=dict(type='BlindSRLoss'),
)
val_evaluator = [dict(type='SRQualityMetric')]
test_evaluator = val_evaluator
