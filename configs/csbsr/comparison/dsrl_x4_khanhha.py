"""The other released variant of DSRL: both branches end at four times the LR image, not at twice."""

_base_ = './dsrl_khanhha.py'
model = dict(
    data_preprocessor=dict(size_divisor=4),
    sr_head=dict(up_channels=(64, 64, 64, 32, 16)),
)
