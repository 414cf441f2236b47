"""Trained weights that lie in the package, and files of the same kind from elsewhere."""

from .library import ModelFile, list_weights, open_weights
from .tensor_file import TensorFileError, read_tensors, write_tensors

__all__ = ['ModelFile', 'TensorFileError', 'list_weights', 'open_weights', 'read_tensors', 'write_tensors']
