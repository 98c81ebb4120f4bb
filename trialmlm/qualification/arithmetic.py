"""The arithmetic of this machine: IEEE 754, and sound linear algebra."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: the first numbers of PCG64 with seed 1
_SEED_1: Final = [0x8306BDF37922E4FF, 0xF35196BBC152A866]


def _double() -> tuple[str, bool]:
    info = sys.float_info
    text = f"radix {info.radix}, {info.mant_dig} bits, rounding {info.rounds}, to {info.max:.4g}"
    return text, (info.radix, info.mant_dig, info.max_exp) == (2, 53, 1024)


def _to_nearest() -> tuple[str, bool]:
    """Ties to even, and no extended precision behind the back."""
    half = 2.0**-53
    sums = (1.0 + half, 1.0 + 2.0**-52 + half, 0.1 + 0.2)
    wanted = (1.0, 1.0 + 2.0**-51, 0.30000000000000004)
    return ", ".join(map(repr, sums)), sums == wanted


def _subnormal() -> tuple[str, bool]:
    """Tiny numbers are kept: no library has told the processor to flush them to zero."""
    least = float((np.array([sys.float_info.min]) / 2.0**52)[0])
    return f"least positive number {least:.4g}", least == math.ulp(0.0)


def _special() -> tuple[str, bool]:
    with np.errstate(all="ignore"):
        found = np.array([1.0, -1.0, 0.0]) / 0.0
        nan = bool(np.isnan(found[2]) and found[2] != found[2])
    return f"1/0 = {found[0]}, -1/0 = {found[1]}, 0/0 = {found[2]}", nan and found[0] > found[1]


def _cholesky() -> tuple[str, bool]:
    """A matrix whose factor is made of small integers: exact in any order of operations."""
    factor = np.array([[2.0, 0.0, 0.0], [1.0, 3.0, 0.0], [-2.0, 4.0, 1.0]])
    apart = float(np.abs(np.linalg.cholesky(factor @ factor.T) - factor).max())
    return f"largest error {apart:.1e}", apart <= 1e-14


def _solving() -> tuple[str, bool]:
    """Hilbert's matrix of order 6, condition 1.5e7: its inverse has integer entries."""
    order = 6
    places = np.arange(1.0, order + 1.0)
    hilbert = 1.0 / (places[:, None] + places - 1.0)
    inverse = np.linalg.inv(hilbert)
    corner = order**2
    apart = abs(float(inverse[0, 0]) / corner - 1.0)
    return f"first entry of the inverse off by {apart:.1e}, relative", apart <= 1e-8


def _eigenvalues() -> tuple[str, bool]:
    """Second differences of order 20: 2 − 2 cos(kπ/21)."""
    order = 20
    matrix = 2.0 * np.eye(order) - np.eye(order, k=1) - np.eye(order, k=-1)
    known = 2.0 - 2.0 * np.cos(np.arange(1, order + 1) * np.pi / (order + 1))
    apart = float(np.abs(np.linalg.eigvalsh(matrix) - known).max())
    return f"largest error {apart:.1e}", apart <= 1e-13


def _repeatable() -> tuple[str, bool]:
    """The same product twice has the same bits."""
    rng = np.random.default_rng(1)
    left, right = rng.standard_normal((300, 200)), rng.standard_normal((200, 300))
    first = left @ right
    same = all((left @ right).tobytes() == first.tobytes() for _ in range(5))
    return "the same bits six times" if same else "bits differ from one time to the next", same


def _tail() -> tuple[str, bool]:
    """Student's t with two degrees of freedom has a closed form: 1 − t/√(2 + t²)."""
    t = np.array([0.1, 1.0, 2.0, 4.0, 8.0])
    found = 2.0 * special.stdtr(2.0, -t)
    known = 2.0 / (np.sqrt(2.0 + t**2) * (np.sqrt(2.0 + t**2) + t))
    apart = float(np.abs(found / known - 1.0).max())
    return f"largest relative error {apart:.1e}", apart <= 1e-12


def _generator() -> tuple[str, bool]:
    """PCG64, which seeded data are made of: NumPy keeps its stream from version to version."""
    drawn = np.random.PCG64(1).random_raw(2).tolist()
    return ", ".join(f"{one:016x}" for one in drawn), drawn == _SEED_1


#: title -> what is expected, and how it is found
ARITHMETIC: Final[Mapping[str, tuple[str, Callable[[], tuple[str, bool]]]]] = {
    "double precision": ("IEEE 754 binary64", _double),
    "rounding": ("to nearest, ties to even", _to_nearest),
    "subnormal numbers": ("kept, not flushed to zero", _subnormal),
    "infinities and NaN": ("as IEEE 754 has them", _special),
    "Cholesky factor": ("exact to 1e-14", _cholesky),
    "inverse of a Hilbert matrix": ("to 1e-8", _solving),
    "eigenvalues": ("to 1e-13", _eigenvalues),
    "matrix products": ("the same bits every time", _repeatable),
    "tail of Student's t": ("to 1e-12", _tail),
    "random numbers": (", ".join(f"{one:016x}" for one in _SEED_1), _generator),
}
