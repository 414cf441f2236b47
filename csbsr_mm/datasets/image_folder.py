"""Photos without masks, for training super-resolution alone."""

from __future__ import annotations

from pathlib import Path

from mmengine.dataset import BaseDataset
from mmseg.registry import DATASETS

from .image_files import list_images
from .keyed_dataset import KeyedDataset


@DATASETS.register_module()
class ImageFolderSRDataset(KeyedDataset, BaseDataset):
    """All images of one or several folders, such as DIV2K and Flickr2K, in the order of their names.

    Args:
        folders: Folders below ``data_root``.
        data_root: Root of the folders.
        recursive: Look into subfolders.
        **kwargs: As in MMEngine's ``BaseDataset`` (``pipeline``, ``indices``, ...).

    Raises:
        FileNotFoundError: A folder does not exist or holds no image.
    """

    METAINFO: dict = {}

    def __init__(self, folders: list[str], data_root: str = '', recursive: bool = False, **kwargs) -> None:
        self.folders = [folders] if isinstance(folders, str) else list(folders)
        self.recursive = recursive
        super().__init__(data_root=data_root, data_prefix={}, **kwargs)

    def load_data_list(self) -> list[dict]:
        """One entry per image."""
        data_list = []
        for folder in self.folders:
            root = Path(self.data_root or '') / folder
            names = list_images(root, recursive=self.recursive)
            data_list += [{'img_path': str(root / name), 'seg_fields': []} for name in names]
        return data_list

    def prepare_data(self, idx: int) -> dict:
        """Sample ``idx`` after the pipeline, with the draw it was asked for by."""
        return self.pipeline(self.drawn_info(idx))
