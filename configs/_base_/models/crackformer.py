# CrackFormer, as released. No batch norm anywhere.
model = dict(
    type='EncoderDecoder',
    data_preprocessor=None,
    backbone=dict(type='CrackFormer'),
    decode_head=dict(
        type='CrackFormerHead',
        in_channels=[64, 64, 64, 64, 64],
        num_classes=2,
        out_channels=1,
        threshold=0.5,
        align_corners=False,
        # Of each of the five side outputs, as released.
        side_loss_weight=0.4,
        loss_decode=dict(type='BoundaryComboLoss'),
    ),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)
