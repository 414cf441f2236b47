"""Cross entropy alone, "WCE" of Table IV: α = 0, γ = 1."""

_base_ = '../kbpn_pspnet_khanhha.py'
loss = dict(loss_decode=dict(alpha=0.0, gamma=1.0))
model = dict(segmentor=dict(decode_head=loss, auxiliary_head=loss))
