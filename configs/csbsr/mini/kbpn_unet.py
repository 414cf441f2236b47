"""CSBSR at the mini scale, β = 0.3: a small KBPN that reads the blur from texture, a small U-Net.

Step 3 alone; `tools/analysis_tools/run_table.py` lets it start from kbpn_step2.py's checkpoint.
"""

_base_ = [
    '../../_base_/models/csbsr_small.py',
    '../../_base_/datasets/khanhha_mini.py',
    '../../_base_/schedules/csbsr_mini.py',
    '../../_base_/default_runtime.py',
]
train_dataloader = dict(batch_size=6)
