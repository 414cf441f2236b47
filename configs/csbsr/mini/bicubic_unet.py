"""Segmentation of bicubically enlarged images at the mini scale."""

_base_ = './kbpn_unet.py'
model = dict(sr=dict(_delete_=True, type='BicubicUpsampler', scale=4), sr_loss=None, task_weight=1.0)
