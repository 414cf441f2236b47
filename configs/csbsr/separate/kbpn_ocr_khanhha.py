"""Without joint learning: KBPN is trained, then frozen, then HRNet+OCR learns on its images (Table II)."""

_base_ = '../kbpn_ocr_khanhha.py'
step2 = _base_.default_hooks.training_stage.stages[:-1]
default_hooks = dict(training_stage=dict(stages=[*step2, dict(frozen=['sr'], task_weight=1.0)]))
