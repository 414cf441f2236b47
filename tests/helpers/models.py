"""Configs of networks small enough for tests, and samples to feed them."""

import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

NORM = dict(type='BN', requires_grad=True)
TINY_KBPN = dict(type='KBPN', num_stages=2, channels=4, kernel_size=5, estimated_kernel_size=3)


def tiny_unet(out_channels=1, num_classes=2, loss_decode=None, auxiliary=False):
    """A U-Net of MMSegmentation with four channels, at the resolution of its input."""
    loss_decode = loss_decode or dict(type='CrossEntropyLoss', use_sigmoid=out_channels == 1)
    head = dict(
        type='FCNHead',
        in_channels=4,
        in_index=1,
        channels=4,
        num_convs=1,
        concat_input=False,
        dropout_ratio=0.0,
        num_classes=num_classes,
        out_channels=out_channels,
        threshold=0.5 if out_channels == 1 else None,
        norm_cfg=NORM,
        loss_decode=loss_decode,
    )
    return dict(
        type='EncoderDecoder',
        backbone=dict(
            type='UNet',
            base_channels=4,
            num_stages=2,
            strides=(1, 1),
            enc_num_convs=(1, 1),
            dec_num_convs=(1,),
            downsamples=(True,),
            enc_dilations=(1, 1),
            dec_dilations=(1,),
            norm_cfg=NORM,
        ),
        decode_head=head,
        auxiliary_head={**head, 'in_channels': 8, 'in_index': 0} if auxiliary else None,
        test_cfg=dict(mode='whole'),
    )


def tiny_csbsr(**changes):
    """A whole CSBSR model: KBPN, U-Net, both losses."""
    config = dict(
        type='BlindSRSegmentor',
        sr=TINY_KBPN,
        segmentor=tiny_unet(),
        sr_loss=dict(type='BlindSRLoss'),
        task_weight=0.3,
        data_preprocessor=dict(type='BlindSRDataPreProcessor', scale=4),
    )
    return {**config, **changes}


def lr_sample(size=(7, 9), scale=4, kernel_size=5, seed=0, ignore=False):
    """A packed training sample: LR image (3, h, w) uint8 and its data sample with all HR targets."""
    generator = torch.Generator().manual_seed(seed)
    hr_size = [scale * side for side in size]
    sample = SegDataSample(
        metainfo=dict(ori_shape=tuple(size), img_shape=tuple(size), img_path=f'{seed}.png')
    )
    label = (torch.rand(1, *hr_size, generator=generator) > 0.8).long()
    if ignore:
        label[:, :3] = 255
    kernel = torch.rand(1, kernel_size, kernel_size, generator=generator)
    hr_image = torch.randint(0, 256, (3, *hr_size), generator=generator, dtype=torch.uint8)
    sample.gt_sem_seg = PixelData(data=label)
    sample.gt_hr_img = PixelData(data=hr_image)
    sample.gt_blur_kernel = PixelData(data=kernel / kernel.sum())
    image = torch.randint(0, 256, (3, *size), generator=generator, dtype=torch.uint8)
    return image, sample


def batch(count=2, **kwargs):
    """What a data loader gives: ``count`` samples, to be passed to a data preprocessor."""
    images, samples = zip(*(lr_sample(seed=seed, **kwargs) for seed in range(count)), strict=True)
    return dict(inputs=list(images), data_samples=list(samples))
