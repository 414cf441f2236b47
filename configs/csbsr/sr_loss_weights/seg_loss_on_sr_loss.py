"""CSBSR with PSPNet, the segmentation loss L_C of each pixel as weight on L_S (Table V)."""

_base_ = '../kbpn_pspnet_khanhha.py'
model = dict(sr_loss_weights=[dict(type='SegLossWeight')])
