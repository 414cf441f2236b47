"""As fail_oriented_khanhha.py with the original SFT, which reads the blur kernel alone (Sec. III-D)."""

_base_ = '../kbpn_pspnet_khanhha.py'
model = dict(
    blur_skip=dict(type='BlurSkipNeck', in_channels=64, sft='original', norm_cfg=_base_.norm_cfg),
    sr_loss_weights=[dict(type='FailOrientedWeight', m=1.0)],
)
