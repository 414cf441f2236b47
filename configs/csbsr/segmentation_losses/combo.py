"""Dice and cross entropy in equal parts, "Combo" of Table IV: α = 0."""

_base_ = '../kbpn_pspnet_khanhha.py'
loss = dict(loss_decode=dict(alpha=0.0))
model = dict(segmentor=dict(decode_head=loss, auxiliary_head=loss))
