"""Adapt a config to one GPU, to several, or to a machine without any."""

from __future__ import annotations

import datetime
import os
from typing import Any

import torch
from mmengine.config import Config
from mmengine.logging import print_log

# Seconds without a batch after which workers count as hung, not slow.
WORKER_TIMEOUT = 1800
AMP_WRAPPERS = ('AmpOptimWrapper', 'CPUAmpOptimWrapper')


def prepare_runtime(cfg: Config, launcher: str = 'none') -> Config:
    """Fit a config to the machine it runs on; call before ``Runner.from_cfg``.

    ``global_batch_size`` is the number of images of one update: it is divided among the processes and
    the accumulated batches, unless ``train_dataloader.batch_size`` was set to something else. Several
    processes: parameters that a training stage does not use are expected (``find_unused_parameters``).
    No GPU: gloo takes the place of NCCL, BN that of SyncBN, and bfloat16 that
    of AMP's float16. Loaders without workers do not try to keep them. Every change of what is computed is
    logged.

    Args:
        cfg: MMEngine config, changed in place.
        launcher: 'none', 'pytorch', 'slurm' or 'mpi', who started the processes.

    Returns:
        The config.

    Raises:
        RuntimeError: More processes than GPUs on this machine, or a launcher that needs GPUs.
        ValueError: The global batch cannot be divided among the processes.
    """
    cfg.launcher = launcher
    _divide_batch(cfg, _world_size(launcher))
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        fit_workers(cfg.get(name) or {})
    if any((cfg.get(f'{part}_dataloader') or {}).get('num_workers') for part in ('val', 'test')):
        _add_hook(cfg, 'WatchWorkersHook')
    on_cpu = not torch.cuda.is_available()
    if launcher != 'none':
        defaults = dict(
            type='MMDistributedDataParallel', broadcast_buffers=False, find_unused_parameters=True
        )
        cfg.model_wrapper_cfg = {**defaults, **(cfg.get('model_wrapper_cfg') or {})}
        _check_launcher(launcher, on_cpu)
    if on_cpu:
        _fit_to_cpu(cfg, launcher)
    return cfg


def enable_amp(cfg: Config) -> None:
    """Turn on mixed precision, as ``--amp`` of MMSegmentation's train.py does.

    Raises:
        ValueError: The config has an optimizer wrapper of its own kind.
    """
    kind = cfg.optim_wrapper.get('type', 'OptimWrapper')
    if kind in AMP_WRAPPERS:
        print_log('AMP is already enabled in the config', logger='current')
        return
    if kind != 'OptimWrapper':
        raise ValueError(f'--amp replaces optim_wrapper.type OptimWrapper, got {kind}; set AMP in the config')
    cfg.optim_wrapper.type = 'AmpOptimWrapper'
    cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')


def stop_on_signals(cfg: Config) -> None:
    """Let signals end a training with its state saved, as ``tools/train.py`` does for every config.

    Args:
        cfg: Config, changed in place; one with a ``StopSignalHook`` of its own stays as it is.
    """
    _add_hook(cfg, 'StopSignalHook')


def _add_hook(cfg: Config, name: str) -> None:
    hooks = [*(cfg.get('custom_hooks') or []), *(cfg.get('default_hooks') or {}).values()]
    if not any(hook and hook.get('type') in (name, f'mmseg.{name}') for hook in hooks):
        cfg.custom_hooks = [*(cfg.get('custom_hooks') or []), dict(type=f'mmseg.{name}')]


def global_rank(launcher: str) -> int:
    """Number of this process among those that the launcher started, known before they meet.

    Args:
        launcher: 'none', 'pytorch', 'slurm' or 'mpi'.
    """
    variable = dict(pytorch='RANK', slurm='SLURM_PROCID', mpi='OMPI_COMM_WORLD_RANK').get(launcher)
    return int(os.environ.get(variable, 0)) if variable else 0


def _world_size(launcher: str) -> int:
    """Number of processes that the launcher started."""
    variable = dict(pytorch='WORLD_SIZE', slurm='SLURM_NTASKS', mpi='OMPI_COMM_WORLD_SIZE').get(launcher)
    return int(os.environ.get(variable, 1)) if variable else 1


def _divide_batch(cfg: Config, processes: int) -> None:
    total, loader = cfg.get('global_batch_size'), cfg.get('train_dataloader')
    if total is None or loader is None or loader.get('batch_size') != total:
        return
    batches = (cfg.get('optim_wrapper') or {}).get('accumulative_counts', 1)
    if total % (processes * batches):
        raise ValueError(
            f'global_batch_size={total} cannot be divided among {processes} processes with {batches} '
            f'accumulated batches each; change one of them, or set train_dataloader.batch_size'
        )
    loader['batch_size'] = total // (processes * batches)
    if loader['batch_size'] != total:
        print_log(f'{total} images an update: {loader["batch_size"]} a process and batch', logger='current')


def fit_workers(loader: dict) -> None:
    """Let ``num_workers=0`` be enough for debugging, and limit the wait for workers to half an hour.

    torch refuses to keep, feed or wait for workers that it has not got. A loader's own ``timeout`` stays.

    Args:
        loader: Settings of a data loader, changed in place.
    """
    if loader.get('num_workers') == 0:
        loader['persistent_workers'] = False
        loader.pop('timeout', None)
        loader.pop('prefetch_factor', None)
    elif loader.get('num_workers'):
        loader.setdefault('timeout', WORKER_TIMEOUT)


def _check_launcher(launcher: str, on_cpu: bool) -> None:
    if on_cpu and launcher != 'pytorch':
        raise RuntimeError(
            f'launcher {launcher!r} needs GPUs, and torch finds none here; without a GPU use '
            f'tools/dist_train.sh, which starts gloo processes'
        )
    local_rank = int(os.environ.get('LOCAL_RANK', 0))
    if not on_cpu and launcher == 'pytorch' and local_rank >= torch.cuda.device_count():
        raise RuntimeError(
            f'process {local_rank} of this machine has no GPU: torch finds {torch.cuda.device_count()}; '
            f'start at most as many processes a machine as it has GPUs'
        )


def _fit_to_cpu(cfg: Config, launcher: str) -> None:
    if _rename_types(cfg._cfg_dict, {'SyncBN': 'BN', 'MMSyncBN': 'BN'}) or cfg.get('sync_bn'):
        cfg.sync_bn = None
        print_log('No GPU: SyncBN becomes BN, each process has its own batch statistics', logger='current')
    if (cfg.get('optim_wrapper') or {}).get('type') == 'AmpOptimWrapper':
        _use_bfloat16(cfg.optim_wrapper)
    if launcher == 'none':
        return
    cfg.model_wrapper_cfg['device_ids'] = None
    if not torch.distributed.is_initialized():
        # MMEngine would ask CUDA for this process's device; it leaves an existing group alone.
        timeout = cfg.get('env_cfg', {}).get('dist_cfg', {}).get('timeout', 1800)
        torch.distributed.init_process_group('gloo', timeout=datetime.timedelta(seconds=timeout))
        print_log('No GPU: processes communicate through gloo', logger='current')


def _use_bfloat16(optim_wrapper: dict) -> None:
    optim_wrapper['type'] = 'CPUAmpOptimWrapper'
    for gpu_only in ('loss_scale', 'dtype', 'use_fsdp'):
        optim_wrapper.pop(gpu_only, None)
    print_log('No GPU: AMP runs in bfloat16 on the CPU', logger='current')


def _rename_types(node: Any, names: dict[str, str]) -> int:
    """Replace ``type`` entries everywhere in a nested config; returns how many."""
    if isinstance(node, dict):
        found = node.get('type') in names if isinstance(node.get('type'), str) else False
        if found:
            node['type'] = names[node['type']]
        return found + sum(_rename_types(value, names) for value in node.values())
    if isinstance(node, (list, tuple)):
        return sum(_rename_types(value, names) for value in node)
    return 0
