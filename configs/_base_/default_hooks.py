"""Hooks of every training. Schedules add theirs by name: `--cfg-options default_hooks.NAME...` sets them.

`training_stage` says which parts learn when, `boundary_rebalance` moves α, `task_weight` moves β.
"""

default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50, log_metric_by_epoch=False),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(type='SafeCheckpointHook', interval=2000, max_keep_ckpts=2),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    visualization=dict(type='SegVisualizationHook'),
    throughput=dict(type='ThroughputHook'),
    training_picture=dict(type='TrainingPictureHook', interval=2000),
    non_finite_loss=dict(type='NonFiniteLossHook'),
)
