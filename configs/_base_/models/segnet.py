# SegNet with a VGG-16 encoder and plain cross-entropy.
norm_cfg = dict(type='SyncBN', requires_grad=True)
model = dict(
    type='EncoderDecoder',
    data_preprocessor=None,
    backbone=dict(
        type='SegNet',
        depth=16,
        norm_cfg=norm_cfg,
        init_cfg=dict(type='Pretrained', checkpoint='imagenet://vgg16_bn'),
    ),
    decode_head=dict(
        type='FCNHead',
        in_channels=64,
        in_index=0,
        channels=64,
        num_convs=0,
        concat_input=False,
        dropout_ratio=0.0,
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
