"""Boundary term and generalised Dice loss (Table IV): γ = 0, α rises, at the mini scale."""

_base_ = '../kbpn_unet.py'
model = dict(segmentor=dict(decode_head=dict(loss_decode=dict(gamma=0.0, region='gdice'))))
