"""The crack-oriented weight w^C on L_S (Table V), at the mini scale."""

_base_ = '../kbpn_unet.py'
model = dict(sr_loss_weights=[dict(type='CrackOrientedWeight', m=8.0)])
