"""Common to all schedules: training that resumes exactly, and Adam at the released rate of 2e-5."""

train_cfg = dict(type='ResumableIterBasedTrainLoop')
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='Adam', lr=2e-5, betas=(0.9, 0.999), eps=1e-8),
)
