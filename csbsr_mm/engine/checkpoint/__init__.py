"""Checkpoints: what may be in one, how it is read, and whether it fits a model."""

from .mmengine_loading import use_reader
from .model_fit import check_for_testing
from .reader import TRUST_HELP, CheckpointError, check_file, read_checkpoint, read_weights, weights_of

__all__ = [
    'TRUST_HELP',
    'CheckpointError',
    'check_file',
    'check_for_testing',
    'read_checkpoint',
    'read_weights',
    'use_reader',
    'weights_of',
]
