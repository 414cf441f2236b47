"""Evaluate CSBSR on real photos that have masks, but neither an HR image nor a known blur.

Photos are `images/X.jpg`, masks `masks/X.png` of the photo's own size; nothing is degraded. Another model:
the same lines below its own config.
"""

_base_ = './kbpn_pspnet_khanhha.py'

data_root = 'data/real_photos'

# Masks have the photo's pixels, not those of its enlargement.
model = dict(output_size='input')

test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='BinarizeMask', threshold=127),
    dict(type='PackBlindSRInputs'),
]
test_dataloader = dict(
    dataset=dict(
        data_root=data_root,
        data_prefix=dict(img_path='images', seg_map_path='masks'),
        pipeline=test_pipeline,
    )
)
test_evaluator = [dict(type='AIUMetric'), dict(type='HD95Metric')]
