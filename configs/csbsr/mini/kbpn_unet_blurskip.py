"""Blur skip at the mini scale, which learns with everything else in Step 3 (Table VI, row 2)."""

_base_ = './kbpn_unet.py'

model = dict(
    blur_skip=dict(type='BlurSkipNeck', in_channels=_base_.channels, kernel_code=16, norm_cfg=_base_.norm_cfg)
)
