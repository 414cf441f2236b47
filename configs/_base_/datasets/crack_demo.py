"""Crack photos of `tools/dataset_converters/render_crack_demo.py`: 96x96 crops without a rim."""

_base_ = './khanhha.py'

data_root = 'data/crack_demo'

train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='BinarizeMask', threshold=127),
    dict(type='KeyedRandomCrop', crop_size=120, crack_probability=0.5),  # 96 after the border is cut
    dict(type='KeyedRandomFlip'),
    dict(type='BlindDegradation', scale={{_base_.scale}}, cut_border=True),
    dict(type='PackBlindSRInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='BinarizeMask', threshold=127),
    dict(type='BlindDegradation', scale={{_base_.scale}}, cut_border=True, only_dataset_images=True),
    dict(type='PackBlindSRInputs'),
]
train_dataloader = dict(
    batch_size=8,
    num_workers=2,
    dataset=dict(data_root=data_root, ann_file='', pipeline=train_pipeline),
)
val_dataloader = dict(
    num_workers=0,
    persistent_workers=False,
    dataset=dict(
        data_root=data_root,
        ann_file='',
        data_prefix=dict(img_path='test/images', seg_map_path='test/masks'),
        pipeline=test_pipeline,
    ),
)
test_dataloader = dict(
    num_workers=0, persistent_workers=False, dataset=dict(data_root=data_root, pipeline=test_pipeline)
)
