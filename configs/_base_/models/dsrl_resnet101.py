# DSRL: DeepLabV3+ on ResNet-101 with a super-resolution branch; LR in, 4 times as large out. A whole model,
# not a segmentor to put behind an SR network.
norm_cfg = dict(type='SyncBN', requires_grad=True)
model = dict(
    type='DSRL',
    scale=4,
    backbone=dict(
        type='ResNetV1c',
        depth=101,
        num_stages=4,
        out_indices=(0, 1, 2, 3),
        strides=(1, 2, 1, 1),
        dilations=(1, 1, 2, 4),
        contract_dilation=True,
        style='pytorch',
        norm_cfg=norm_cfg,
        init_cfg=dict(type='Pretrained', checkpoint='imagenet://resnet101_v1c'),
    ),
    decode_head=dict(
        type='DSRLHead',
        in_channels=2048,
        in_index=3,
        channels=256,
        # The rates of output stride 16: an LR image of 112x112 is 14x14 at output stride 8, too small for
        # twice as large ones.
        dilations=(1, 6, 12, 18),
        c1_in_channels=256,
        c1_channels=48,
        up_channels=(128, 64, 64, 64),
        dropout_ratio=0.1,
        num_classes=2,
        out_channels=1,
        threshold=0.5,
        norm_cfg=norm_cfg,
        align_corners=False,
        loss_decode=dict(
            type='CrossEntropyLoss', use_sigmoid=True, avg_non_ignore=True, loss_name='loss_bce'
        ),
    ),
    sr_head=dict(
        type='DSRLReconstructionHead',
        in_channels=256,
        c1_in_channels=256,
        c1_channels=48,
        channels=256,
        up_channels=(128, 64, 64, 64),
        norm_cfg=norm_cfg,
    ),
    sr_loss_weight=0.1,
    affinity_loss=dict(type='FeatureAffinityLoss', subsample=8, loss_weight=1.0),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)
