# DSRL as released: DeepLabV3+ on ResNet-101 with a super-resolution branch; LR in, 4 times as large out.
# A whole model, not a segmentor to put behind an SR network.
norm_cfg = dict(type='SyncBN', requires_grad=True)
model = dict(
    type='DSRL',
    scale=4,
    backbone=dict(
        type='ResNet',
        depth=101,
        num_stages=4,
        out_indices=(0, 1, 2, 3),
        strides=(1, 2, 2, 1),
        multi_grid=(2, 4, 8),
        style='pytorch',
        norm_cfg=norm_cfg,
        init_cfg=dict(type='Pretrained', checkpoint='imagenet://resnet101'),
    ),
    decode_head=dict(
        type='DSRLHead',
        in_index=3,
        num_classes=2,
        out_channels=1,
        threshold=0.5,
        norm_cfg=norm_cfg,
        align_corners=True,
        loss_decode=dict(
            type='CrossEntropyLoss', use_sigmoid=True, avg_non_ignore=True, loss_name='loss_bce'
        ),
    ),
    # Both branches end at twice the LR image.
    sr_head=dict(type='DSRLReconstructionHead', up_channels=(64, 64, 32, 16), norm_cfg=norm_cfg),
    sr_loss_weight=0.5,
    affinity_loss=dict(type='FeatureAffinityLoss', loss_weight=0.5),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)
