from .non_finite_loss_hook import NonFiniteLossError, NonFiniteLossHook
from .safe_checkpoint_hook import SafeCheckpointHook
from .save_predictions_hook import SavePredictionsHook
from .task_weight_hook import TaskWeightHook
from .training_stage_hook import TrainingStageHook

__all__ = [
    'NonFiniteLossError',
    'NonFiniteLossHook',
    'SafeCheckpointHook',
    'SavePredictionsHook',
    'TaskWeightHook',
    'TrainingStageHook',
]
