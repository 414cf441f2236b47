"""Step 2 alone: KBPN on crack photos, 30,000 iterations, warm-up of its kernel predictors included.

It has no segmentor, so that one run serves the Step 3 of every network. It starts from Step 1.
"""

_base_ = [
    '../../_base_/datasets/khanhha.py',
    '../../_base_/schedules/csbsr_180k.py',
    '../../_base_/default_runtime.py',
]
load_from = 'work_dirs/kbpn_div2k_flickr2k/iter_200000.pth'
model = dict(
    type='BlindSRPretrainer',
    data_preprocessor=dict(type='BlindSRDataPreProcessor', scale=4),
    sr=dict(type='KBPN'),
    sr_loss=dict(type='BlindSRLoss'),
)
train_cfg = dict(max_iters=30000)
param_scheduler = None
custom_hooks = [
    dict(
        type='TrainingStageHook',
        stages=[
            dict(end=10000, frozen=['sr.kernel_predictor'], use_gt_kernel=True),
            dict(end=20000, trainable=['sr.kernel_predictor']),
            dict(),
        ],
    ),
]
val_evaluator = [dict(type='SRQualityMetric')]
test_evaluator = val_evaluator
