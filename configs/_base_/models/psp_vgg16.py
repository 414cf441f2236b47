# PSPNet on VGG-16, as in the paper's text; its weights were not released. The fourth pooling is left out
# and the fifth block dilated instead, for the output stride of 8 that the decoder expects.
_base_ = ['./psp_resnet34.py']
model = dict(
    backbone=dict(
        _delete_=True,
        type='VGG',
        depth=16,
        strides=(1, 2, 2, 2, 1),
        dilations=(1, 1, 1, 1, 2),
        init_cfg=dict(type='Pretrained', checkpoint='imagenet://vgg16'),
    ),
    decode_head=dict(in_index=4),
    auxiliary_head=dict(in_channels=512, in_index=3),
)
