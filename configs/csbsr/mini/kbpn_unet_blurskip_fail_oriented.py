"""Blur skip and the fail-oriented weight w^F on L_S, m = 1, at the mini scale (Table VI, row 3)."""

_base_ = './kbpn_unet.py'

model = dict(
    blur_skip=dict(
        type='BlurSkipNeck', in_channels=_base_.channels, kernel_code=16, norm_cfg=_base_.norm_cfg
    ),
    sr_loss_weights=[dict(type='FailOrientedWeight', m=1.0)],
)
