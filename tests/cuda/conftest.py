"""The device that these tests compare with the CPU.

They run on the GPU, and are skipped where there is none. ``CSBSR_TEST_DEVICE=cpu`` rehearses them: everything
runs, and agrees trivially.
"""

import os

import pytest
import torch


@pytest.fixture(scope='session')
def device():
    name = os.environ.get('CSBSR_TEST_DEVICE', 'cuda')
    if name == 'cuda' and not torch.cuda.is_available():
        pytest.skip('needs a CUDA GPU; CSBSR_TEST_DEVICE=cpu rehearses the test on the CPU')
    return torch.device(name)
