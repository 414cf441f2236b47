# SegNet with a VGG-16 encoder and plain cross entropy, as released for SrcNet: no ImageNet weights.
norm_cfg = dict(type='SyncBN', requires_grad=True)
model = dict(
    type='EncoderDecoder',
    data_preprocessor=None,
    backbone=dict(type='SegNet', depth=16, norm_cfg=norm_cfg),
    decode_head=dict(
        type='SegNetHead',
        in_channels=64,
        in_index=0,
        num_classes=2,
        out_channels=1,
        threshold=0.5,
        align_corners=False,
        loss_decode=dict(
            type='CrossEntropyLoss', use_sigmoid=True, avg_non_ignore=True, loss_name='loss_bce'
        ),
    ),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)
