"""Step 2 at the mini scale: KBPN alone, its kernel predictors' warm-up included; 400 iterations."""

_base_ = './kbpn_unet.py'

model = dict(
    _delete_=True,
    type='BlindSRPretrainer',
    data_preprocessor=dict(type='BlindSRDataPreProcessor', scale=4),
    sr=_base_.model.sr,
    sr_loss=dict(type='BlindSRLoss'),
)
param_scheduler = None
custom_hooks = [
    dict(
        type='TrainingStageHook',
        stages=[
            dict(end=250, frozen=['sr.kernel_predictor'], use_gt_kernel=True),
            dict(end=325, trainable=['sr.kernel_predictor']),
            dict(),
        ],
    ),
]
test_evaluator = [dict(type='SRQualityMetric')]
