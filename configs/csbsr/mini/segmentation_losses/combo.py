"""Dice and cross entropy in equal parts, "Combo" of Table IV: α = 0, at the mini scale."""

_base_ = '../kbpn_unet.py'
model = dict(segmentor=dict(decode_head=dict(loss_decode=dict(alpha=0.0))))
