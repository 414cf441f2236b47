"""The Khanhha crack set with 224x224 crops in training, as the authors' released configs have it."""

_base_ = './khanhha.py'

train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='BinarizeMask', threshold=127),
    dict(type='KeyedRandomCrop', crop_size=224),
    dict(type='KeyedRandomFlip'),
    dict(type='BlindDegradation', scale={{_base_.scale}}),
    dict(type='PackBlindSRInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
