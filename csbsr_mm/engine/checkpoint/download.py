"""Checkpoints from the web, in PyTorch's folder for them."""

from __future__ import annotations

import os
from urllib.parse import urlparse

import torch
from mmengine.dist import barrier, get_rank

WEB = ('http://', 'https://')


def downloaded(url: str, folder: str | None = None) -> str:
    """The file of a URL, downloaded by rank 0 if it is not there.

    Args:
        url: Where the checkpoint is.
        folder: Where to keep it; PyTorch's checkpoint folder by default.

    Returns:
        Path of the file.
    """
    folder = folder or os.path.join(torch.hub.get_dir(), 'checkpoints')
    path = os.path.join(folder, os.path.basename(urlparse(url).path))
    if get_rank() == 0:
        _download(url, path)
    barrier()
    _download(url, path)  # Another machine has a folder of its own.
    return path


def _download(url: str, path: str) -> None:
    if not os.path.isfile(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        torch.hub.download_url_to_file(url, path)
