"""Step 2 of CSSR at the mini scale: DBPN alone, with L1 as its loss; 400 iterations."""

_base_ = './kbpn_unet.py'

model = dict(
    _delete_=True,
    type='BlindSRPretrainer',
    data_preprocessor=dict(type='BlindSRDataPreProcessor', scale=4),
    sr=dict(type='DBPN', num_stages=2, channels=32),
    sr_loss=dict(type='BlindSRLoss', hr_weight=1.0, lr_weight=0.0, kernel_weight=0.0),
)
param_scheduler = None
custom_hooks = []
test_evaluator = [dict(type='SRQualityMetric')]
