"""The segmentation loss of each pixel as weight on L_S (Table V), at the mini scale."""

_base_ = '../kbpn_unet.py'
model = dict(sr_loss_weights=[dict(type='SegLossWeight')])
