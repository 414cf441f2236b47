"""CSBSR with PSPNet and blur skip, which learns with everything else in Step 3 (Table VI, row 2)."""

_base_ = './kbpn_pspnet_khanhha.py'
model = dict(blur_skip=dict(type='BlurSkipNeck', in_channels=64, norm_cfg=_base_.norm_cfg))
