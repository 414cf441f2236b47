"""Read the LR photo and its kernel from a stored degraded test set."""

from __future__ import annotations

from pathlib import Path

from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS

from csbsr_mm.datasets.degraded_store import DegradedStore

from .blind_degradation import crop_to_multiple


@TRANSFORMS.register_module()
class LoadDegradedPair(BaseTransform):
    """Load the stored LR image and kernel of an HR image; takes the place of ``BlindDegradation``.

    The pipeline loads the HR photo ``DATA/test/images/X`` and its mask; this adds
    ``DATA/test_blured/NAME/lr_images/X.png`` as ``img``, the kernel as ``gt_blur_kernel`` and keeps
    the photo as ``hr_img``.

    Args:
        name: Name of the set, the folder below ``test_blured``; the authors' is ``'02_40'``.
        root: Folder of the set, if it does not lie beside the images' folder as above.
        precise: Read the float copy instead of the 8-bit pictures.

    Raises:
        FileNotFoundError: The set lacks this image.
        ValueError: LR and HR image do not fit together.

    Example:
        >>> LoadDegradedPair('02_40').store('data/cracks/test/images/X.jpg').root.as_posix()
        'data/cracks/test_blured/02_40'
    """

    def __init__(self, name: str = '02_40', root: str | None = None, precise: bool = False) -> None:
        self.name = name
        self.root = root
        self.precise = precise

    def store(self, img_path: str) -> DegradedStore:
        """The stored set that belongs to an HR image."""
        if self.root is not None:
            return DegradedStore(Path(self.root))
        return DegradedStore(Path(img_path).parents[2] / 'test_blured' / self.name)

    def transform(self, results: dict) -> dict:
        """Add the stored LR image; a photo from no data set passes unchanged."""
        if 'sample_idx' not in results:
            return results
        file_name = Path(results['img_path']).name
        store = self.store(results['img_path'])
        lr, kernel = store.read(file_name, self.precise)
        crop_to_multiple(results, self._scale(results, lr, store.lr_path(file_name)))
        results['hr_img'], results['img'] = results['img'], lr
        results['gt_blur_kernel'] = kernel
        results['img_shape'] = results['ori_shape'] = lr.shape[:2]
        return results

    @staticmethod
    def _scale(results: dict, lr, lr_path: Path) -> int:
        """The factor between HR and LR image, which the two sizes must agree on."""
        height, width = results['img'].shape[:2]
        scale = height // lr.shape[0]
        if scale == 0 or (height // scale, width // scale) != lr.shape[:2]:
            raise ValueError(
                f'{lr_path} of {lr.shape[0]}x{lr.shape[1]} is no downsampled '
                f'{results["img_path"]} of {height}x{width} (height x width)'
            )
        return scale

    def __repr__(self) -> str:
        return f'{type(self).__name__}(name={self.name!r}, root={self.root!r}, precise={self.precise})'
