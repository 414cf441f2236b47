"""DIV2K and Flickr2K sub-images without masks, for training super-resolution alone (Step 1).

`tools/dataset_converters/prepare_div2k_flickr2k.py` cuts the sub-images. HR patches of 224x224.
"""

data_root = 'data'
scale = 4

train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='KeyedRandomCrop', crop_size=224),
    dict(type='KeyedRandomFlip'),
    dict(type='BlindDegradation', scale=scale),
    dict(type='PackBlindSRInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='BlindDegradation', scale=scale, only_dataset_images=True),
    dict(type='PackBlindSRInputs'),
]
train_dataloader = dict(
    batch_size=6,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='KeyedInfiniteSampler', shuffle=True),
    collate_fn=dict(type='packed_collate'),  # a batch comes from its worker in one piece
    dataset=dict(
        type='ImageFolderSRDataset',
        data_root=data_root,
        folders=['DIV2K/DIV2K_train_HR_sub', 'Flickr2K/Flickr2K_HR_sub'],
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='ImageFolderSRDataset',
        data_root=data_root,
        folders=['DIV2K/DIV2K_valid_HR'],
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader
val_evaluator = [dict(type='SRQualityMetric')]
test_evaluator = val_evaluator
