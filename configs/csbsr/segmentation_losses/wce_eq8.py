"""Cross entropy alone, weighted by inverse class frequency as Eq. 8 prints it.

The released config weighs both classes alike, and the paper's figures belong to it: wce.py.
"""

_base_ = '../kbpn_pspnet_khanhha.py'
loss = dict(loss_decode=dict(alpha=0.0, gamma=1.0, class_weight='inverse_frequency'))
model = dict(segmentor=dict(decode_head=loss, auxiliary_head=loss))
