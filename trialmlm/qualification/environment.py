"""The machine and its settings, for the record."""

from __future__ import annotations

import locale
import os
import platform
import sys
import time
from typing import Any, Final

import numpy as np

#: variables that decide how many threads BLAS uses
THREADS: Final = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "BLIS_NUM_THREADS",
)


def environment() -> dict[str, str]:
    """What a second person needs to know to make the same run."""
    return {
        "platform": platform.platform(),
        "processor": f"{platform.machine()}, {os.cpu_count()} logical processors",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "interpreter": sys.executable,
        "BLAS": _library("blas"),
        "LAPACK": _library("lapack"),
        "BLAS threads": _threads(),
        "locale": _locale(),
        "encoding": f"{sys.getfilesystemencoding()} for file names, "
        f"{locale.getpreferredencoding(do_setlocale=False)} for files",
        "time zone": f"{time.tzname[0]}, UTC{time.strftime('%z')}",
        "hash seed": os.environ.get("PYTHONHASHSEED", "random"),
    }


def _library(kind: str) -> str:
    """Name and version of what NumPy was built with."""
    shown: Any = np.show_config(mode="dicts")
    found = shown.get("Build Dependencies", {}).get(kind, {})
    return f"{found.get('name', 'not known')} {found.get('version', '')}".strip()


def _threads() -> str:
    stated = [f"{name}={os.environ[name]}" for name in THREADS if name in os.environ]
    return ", ".join(stated) or "as many as BLAS chooses (no variable is set)"


def _locale() -> str:
    language, encoding = locale.getlocale()
    numbers = locale.localeconv()
    return (
        f"{language or 'C'}.{encoding or '-'}, decimal point {str(numbers['decimal_point'])!r}; "
        "numbers in outputs do not depend on it"
    )
