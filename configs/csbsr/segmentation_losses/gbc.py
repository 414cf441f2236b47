"""Boundary combo loss with the generalised Dice loss, "GBC" of Table IV: α rises."""

_base_ = '../kbpn_pspnet_khanhha.py'
loss = dict(loss_decode=dict(region='gdice'))
model = dict(segmentor=dict(decode_head=loss, auxiliary_head=loss))
