"""Segmentation of the HR images at the mini scale: what no super-resolution can exceed (Table II a)."""

_base_ = './kbpn_unet.py'

model = dict(
    data_preprocessor=dict(size_divisor=8),
    sr=dict(_delete_=True, type='IdentitySR'),
    sr_loss=None,
    task_weight=1.0,
)


def without_degradation(pipeline):
    return [transform for transform in pipeline if transform['type'] != 'BlindDegradation']


train_dataloader = dict(dataset=dict(pipeline=without_degradation(_base_.train_pipeline)))
test_dataloader = dict(dataset=dict(pipeline=without_degradation(_base_.test_pipeline)))
test_evaluator = [dict(type='AIUMetric'), dict(type='HD95Metric')]
