"""Boundary term and generalised Dice loss (Table IV): γ = 0, α rises."""

_base_ = '../kbpn_pspnet_khanhha.py'
loss = dict(loss_decode=dict(gamma=0.0, region='gdice'))
model = dict(segmentor=dict(decode_head=loss, auxiliary_head=loss))
