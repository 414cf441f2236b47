"""Boundary combo loss with the generalised Dice loss, "GBC" of Table IV: α rises, at the mini scale."""

_base_ = '../kbpn_unet.py'
model = dict(segmentor=dict(decode_head=dict(loss_decode=dict(region='gdice'))))
