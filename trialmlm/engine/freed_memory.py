"""Memory that is freed and soon asked for again."""

from __future__ import annotations

import numpy as np

#: 8 bytes each: just below the 32 MiB that glibc follows
_NUMBERS = 4_000_000


def keep_freed_memory() -> None:
    """Let the allocator keep what is freed, for a loop over arrays of some megabytes.

    A block above a threshold goes back to the system when it is freed, and its pages are cleared
    when it is asked for again: that took as long as the arithmetic on it. glibc's thresholds rise
    to the largest block freed (mallopt(3), M_MMAP_THRESHOLD); this one is never written to, so
    that it takes no memory itself. Elsewhere it does nothing.
    """
    np.empty(_NUMBERS)
