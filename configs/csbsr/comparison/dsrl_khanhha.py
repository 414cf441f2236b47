"""DSRL: one encoder with a segmentation and a super-resolution branch, LR in, HR out (Table II c)."""

_base_ = [
    '../../_base_/models/dsrl_resnet101.py',
    '../../_base_/datasets/khanhha.py',
    '../../_base_/schedules/dsrl_180k.py',
    '../../_base_/default_runtime.py',
]
