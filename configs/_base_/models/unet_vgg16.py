# U-Net on VGG-16 that enlarges by pixel shuffle, as released. No batch norm anywhere.
model = dict(
    type='EncoderDecoder',
    data_preprocessor=None,
    backbone=dict(
        type='VGG',
        depth=16,
        init_cfg=dict(type='Pretrained', checkpoint='imagenet://vgg16'),
    ),
    decode_head=dict(
        type='VGGUNetHead',
        channels=32,
        upsample='pixel_shuffle',
        num_classes=2,
        out_channels=1,
        threshold=0.5,
        align_corners=False,
        loss_decode=dict(type='BoundaryComboLoss'),
    ),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)
