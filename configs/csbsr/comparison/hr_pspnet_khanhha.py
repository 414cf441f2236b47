"""PSPNet on the HR images themselves: what no super-resolution can exceed (Table II a)."""

_base_ = './bicubic_pspnet_khanhha.py'

model = dict(
    data_preprocessor=dict(size_divisor=8),
    sr=dict(_delete_=True, type='IdentitySR'),
)


def without_degradation(pipeline):
    return [transform for transform in pipeline if transform['type'] != 'BlindDegradation']


train_dataloader = dict(dataset=dict(pipeline=without_degradation(_base_.train_pipeline)))
val_dataloader = dict(dataset=dict(pipeline=without_degradation(_base_.test_pipeline)))
test_dataloader = dict(dataset=dict(pipeline=without_degradation(_base_.test_pipeline)))
val_evaluator = [dict(type='AIUMetric'), dict(type='HD95Metric')]
test_evaluator = val_evaluator
