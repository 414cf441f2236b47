"""The fail-oriented weight w^F on L_S (Table V), at the mini scale."""

_base_ = '../kbpn_unet.py'
model = dict(sr_loss_weights=[dict(type='FailOrientedWeight', m=1.0)])
