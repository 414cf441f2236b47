"""The blur skip whose scale and shift come from the blur kernel alone, the original SFT (Sec. III-D)."""

_base_ = '../kbpn_pspnet_blurskip_khanhha.py'
model = dict(blur_skip=dict(sft='original'))
