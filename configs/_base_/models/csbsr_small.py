"""CSBSR at a size for a CPU: a small KBPN that reads the blur from texture, and a small U-Net.

Its data have no dark rim (`cut_border=True`), so the LR term of the loss leaves out the margin that was cut.
"""

_base_ = './unet_small.py'

sr = dict(
    type='KBPN',
    num_stages=2,
    channels=32,
    kernel_estimator='log_variance',
    kernel_updates=False,
    kernel_code=16,
    blur_padding='replicate',
    # As released, but that the last filter starts at zero: S starts as bicubic enlargement.
    init_cfg=dict(
        type='Kaiming',
        layer=['Conv2d', 'ConvTranspose2d'],
        mode='fan_in',
        distribution='normal',
        bias=0,
        override=dict(name='reconstruct', type='Constant', val=0),
    ),
)
sr_loss = dict(type='BlindSRLoss', kernel_loss='relative', kernel_weight=0.05, border=3)
model = dict(
    _delete_=True,
    type='BlindSRSegmentor',
    data_preprocessor=dict(size_divisor=2),
    sr=sr,
    segmentor=_base_.model,
    sr_loss=sr_loss,
    task_weight=0.3,
)
