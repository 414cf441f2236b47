"""Measures a training: the loader's throughput, a step's time and what autograd saves."""
