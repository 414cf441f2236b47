"""The Khanhha crack set, degraded on the fly: whole 448x448 photos, as in the paper.

Another place for the data: `--cfg-options data_root=/somewhere`. The train/val lists are written by
`tools/dataset_converters/split_khanhha.py`.
"""

dataset_type = 'CrackDataset'
data_root = 'data/crack_segmentation_dataset'
scale = 4

train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='BinarizeMask', threshold=127),
    dict(type='KeyedRandomFlip'),
    dict(type='BlindDegradation', scale=scale),
    dict(type='PackBlindSRInputs'),
]
# The same pipeline takes LR photos: those of the inferencers pass BlindDegradation unchanged.
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='BinarizeMask', threshold=127),
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
        data_prefix=dict(img_path='train/images', seg_map_path='train/masks'),
        ann_file='splits/train.txt',
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
        data_prefix=dict(img_path='train/images', seg_map_path='train/masks'),
        ann_file='splits/val.txt',
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
test_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_prefix=dict(img_path='test/images', seg_map_path='test/masks'),
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
val_evaluator = [dict(type='AIUMetric'), dict(type='HD95Metric'), dict(type='SRQualityMetric')]
test_evaluator = val_evaluator
