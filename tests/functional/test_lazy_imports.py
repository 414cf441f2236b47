"""What arrays alone need does not import torch, and nothing of it imports MMSegmentation."""

import subprocess
import sys

PROBE = """
import sys, types
import numpy as np
package = types.ModuleType('csbsr_mm')
package.__path__ = [{path!r}]
sys.modules['csbsr_mm'] = package
from csbsr_mm.functional import hausdorff_sweep, iou_sweep, signed_distance
mask = np.zeros((9, 9), bool)
mask[3:5] = True
hausdorff_sweep(mask * 0.7, mask), iou_sweep(mask * 0.7, mask), signed_distance(mask)
assert 'torch' not in sys.modules and 'mmengine' not in sys.modules, 'imported'
from csbsr_mm.functional import dice_loss
assert 'torch' in sys.modules and 'mmengine' not in sys.modules
from csbsr_mm.losses import BoundaryComboLoss
assert 'mmengine' not in sys.modules
"""


def test_arrays_need_no_torch():
    import csbsr_mm

    subprocess.run([sys.executable, '-c', PROBE.format(path=csbsr_mm.__path__[0])], check=True)


def test_names_of_the_package_are_those_it_lists():
    from csbsr_mm import functional

    assert set(functional.__all__) <= set(dir(functional))
    assert all(callable(getattr(functional, name)) for name in functional.__all__)
