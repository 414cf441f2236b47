"""The Dice loss alone (Table IV): α = 0, γ = 0, at the mini scale."""

_base_ = '../kbpn_unet.py'
model = dict(segmentor=dict(decode_head=dict(loss_decode=dict(alpha=0.0, gamma=0.0))))
