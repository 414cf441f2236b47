"""MMSegmentation's U-Net with few channels, for a CPU: 1.0 M parameters.

Leaky units cannot die: a classifier on ReLU features whose weights all turn negative never recovers.
"""

channels = 24
norm_cfg = dict(type='BN', requires_grad=True)
act_cfg = dict(type='LeakyReLU', negative_slope=0.1)
model = dict(
    type='EncoderDecoder',
    data_preprocessor=None,
    backbone=dict(
        type='UNet',
        base_channels=channels,
        num_stages=4,
        strides=(1, 1, 1, 1),
        enc_num_convs=(2, 2, 2, 2),
        dec_num_convs=(2, 2, 2),
        downsamples=(True, True, True),
        enc_dilations=(1, 1, 1, 1),
        dec_dilations=(1, 1, 1),
        norm_cfg=norm_cfg,
        act_cfg=act_cfg,
    ),
    decode_head=dict(
        type='FCNHead',
        in_channels=channels,
        in_index=3,
        channels=channels,
        num_convs=1,
        concat_input=False,
        dropout_ratio=0.0,
        num_classes=2,
        out_channels=1,
        threshold=0.5,
        norm_cfg=norm_cfg,
        act_cfg=act_cfg,
        loss_decode=dict(type='BoundaryComboLoss'),
    ),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)
