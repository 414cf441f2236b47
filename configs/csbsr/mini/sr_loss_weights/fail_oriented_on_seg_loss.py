"""The fail-oriented weight w^F on L_C (Table V), at the mini scale."""

_base_ = '../kbpn_unet.py'
model = dict(segmentor=dict(decode_head=dict(loss_decode=dict(fail_weight_m=0.5))))
