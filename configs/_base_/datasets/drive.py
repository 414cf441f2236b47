"""Retina vessels (DRIVE), degraded on the fly: 224x224 crops in training, whole photos in testing.

The layout is that of MMSegmentation's converter: `images/{training,validation}/21.png` and
`annotations/{training,validation}/21_manual1.png`. Photos with another suffix:
`--cfg-options train_dataloader.dataset.img_suffix=.tif`, and the same for val and test.
"""

dataset_type = 'KeyedDRIVEDataset'
data_root = 'data/DRIVE'
scale = 4

train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='BinarizeMask'),  # masks of 0 and 1 as converted stay, 0 and 255 are read too
    dict(type='KeyedRandomCrop', crop_size=224),
    dict(type='KeyedRandomFlip'),
    dict(type='BlindDegradation', scale=scale),
    dict(type='PackBlindSRInputs'),
]
# The same pipeline takes LR photos: those of the inferencers pass BlindDegradation unchanged.
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='BinarizeMask'),
    dict(type='BlindDegradation', scale=scale, only_dataset_images=True),
    dict(type='PackBlindSRInputs'),
]

train_dataloader = dict(
    batch_size=6,  # of one GPU; global_batch_size of a schedule divides it among GPUs
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='KeyedInfiniteSampler', shuffle=True),
    collate_fn=dict(type='packed_collate'),  # a batch comes from its worker in one piece
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_prefix=dict(img_path='images/training', seg_map_path='annotations/training'),
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_prefix=dict(img_path='images/validation', seg_map_path='annotations/validation'),
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader
val_evaluator = [
    dict(type='AIUMetric'),
    dict(type='HD95Metric'),
    dict(type='SRQualityMetric'),
    dict(type='PixelClassificationMetric'),
]
test_evaluator = val_evaluator
