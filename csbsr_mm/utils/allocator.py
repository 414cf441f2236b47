"""Let a process keep the memory it frees, where the C library can be told so."""

from __future__ import annotations

import ctypes
import os
import platform

# Numbers of mallopt's parameters in glibc's malloc.h.
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3
KEPT_BYTES = 1 << 30
TOP_PAD_BYTES = 64 << 20
LARGEST_THRESHOLD = 32 << 20  # of M_MMAP_THRESHOLD; glibc refuses more


def keep_freed_memory() -> bool:
    """Keep freed memory for the next arrays instead of giving it back to the system and asking again.

    A network on a CPU frees and allocates blocks of megabytes all the time. By default glibc returns each to
    the system, which clears the pages before it hands them out again: a fifth of the time of a small network
    can go there. Up to one gigabyte stays with the process. Environment variables that say otherwise
    (``MALLOC_TRIM_THRESHOLD_`` and the like, or another allocator in ``LD_PRELOAD``) are respected.

    Returns:
        Whether it was set; False on other systems and C libraries.
    """
    if platform.libc_ver()[0] != 'glibc' or 'LD_PRELOAD' in os.environ:
        return False
    if any(name.startswith('MALLOC_') for name in os.environ) or 'GLIBC_TUNABLES' in os.environ:
        return False
    mallopt = ctypes.CDLL(None).mallopt
    settings = (
        (M_MMAP_THRESHOLD, LARGEST_THRESHOLD),
        (M_TRIM_THRESHOLD, KEPT_BYTES),
        (M_TOP_PAD, TOP_PAD_BYTES),
    )
    done = [mallopt(*setting) for setting in settings]
    return all(done)
