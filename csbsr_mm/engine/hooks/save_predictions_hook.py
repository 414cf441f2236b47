"""Write predicted masks as PNG files while testing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmseg.registry import HOOKS
from mmseg.structures import SegDataSample


@HOOKS.register_module()
class SavePredictionsHook(Hook):
    """Save each test image's ``pred_sem_seg`` as ``OUT_DIR/NAME.png``, one grey value a class.

    The files are those that MMSegmentation's ``IoUMetric`` writes for ``tools/test.py --out``, whatever
    metrics the config evaluates.

    Args:
        out_dir: Folder to write to; created if need be.

    Example:
        >>> import tempfile, torch
        >>> from mmengine.structures import PixelData
        >>> mask = PixelData(data=torch.tensor([[[0, 1]]]))
        >>> sample = SegDataSample(metainfo=dict(img_path='photos/a.jpg'), pred_sem_seg=mask)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     SavePredictionsHook(folder).after_test_iter(None, 0, None, [sample])
        ...     cv2.imread(f'{folder}/a.png', cv2.IMREAD_GRAYSCALE).tolist()
        [[0, 1]]
    """

    def __init__(self, out_dir: str) -> None:
        self.out_dir = Path(out_dir)
        self.out_dir.mkdir(parents=True, exist_ok=True)

    def after_test_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict | None = None,
        outputs: Sequence[SegDataSample] = (),
    ) -> None:
        """Write the masks of one batch."""
        for sample in outputs:
            path = self.out_dir / f'{Path(sample.img_path).stem}.png'
            mask = sample.pred_sem_seg.data.squeeze().cpu().numpy().astype(np.uint8)
            if not cv2.imwrite(str(path), mask):
                raise OSError(f'cannot write {path}; is the disk full?')
