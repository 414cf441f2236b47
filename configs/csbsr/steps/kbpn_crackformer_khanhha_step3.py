"""Step 3 alone: as kbpn_crackformer_khanhha.py from iteration 30,001, starting from Step 2's checkpoint."""

_base_ = '../kbpn_crackformer_khanhha.py'

load_from = 'work_dirs/kbpn_khanhha_step2/iter_30000.pth'
train_cfg = dict(max_iters=150000)
default_hooks = dict(training_stage=dict(stages=[dict()]), boundary_rebalance=dict(begin=0))
