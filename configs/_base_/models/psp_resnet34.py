# PSPNet on a dilated ResNet-34, as released.
norm_cfg = dict(type='SyncBN', requires_grad=True)
model = dict(
    type='EncoderDecoder',
    data_preprocessor=None,
    backbone=dict(
        type='DilatedResNet',
        depth=34,
        norm_cfg=norm_cfg,
        init_cfg=dict(type='Pretrained', checkpoint='imagenet://resnet34'),
    ),
    decode_head=dict(
        type='ProgressivePSPHead',
        in_channels=512,
        in_index=3,
        channels=64,
        num_classes=2,
        out_channels=1,
        threshold=0.5,
        norm_cfg=norm_cfg,
        align_corners=False,
        loss_decode=dict(type='BoundaryComboLoss'),
    ),
    auxiliary_head=dict(
        type='FCNHead',
        in_channels=256,
        in_index=2,
        channels=256,
        num_convs=1,
        concat_input=False,
        dropout_ratio=0.1,
        num_classes=2,
        out_channels=1,
        threshold=0.5,
        norm_cfg=norm_cfg,
        # The released model enlarges the auxiliary probability, MMSegmentation's heads enlarge logits; only
        # the auxiliary loss sees the difference.
        align_corners=True,
        loss_decode=dict(type='BoundaryComboLoss', loss_weight=0.4),
    ),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)
