"""A fit as a file: a zip of one JSON entry and plain arrays.

Nothing of it is ever executed: text goes through the JSON reader and the reader of formulas, arrays
through NumPy's without pickles. What is kept is what a fit is made of: formula, options, the
columns given and θ̂; and beside it −2l and the coefficients, as a check of the fit made again.
"""

from __future__ import annotations

import io
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import numpy as np
import pandas as pd

from trialmlm._version import __version__
from trialmlm.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from trialmlm.formula.variables import Column
    from trialmlm.models.mmrm import MmrmFit

FORMAT: Final = "trialmlm fit"
#: raised when a later version could not read today's files, or today's would misread later ones
FORMAT_VERSION: Final = 1
_HEAD: Final = "fit.json"
#: the earliest date that a zip entry can carry
_ENTRY_DATE: Final = (1980, 1, 1, 0, 0, 0)
_PLAIN: Final = (str, bool, int, float)


@dataclass(frozen=True, slots=True)
class Saved:
    """What a file holds.

    Attributes
    ----------
    head : mapping
        The JSON entry.
    arrays : mapping of str to ndarray
        By the name of their entry, without suffix.
    """

    head: Mapping[str, Any]
    arrays: Mapping[str, np.ndarray[Any, Any]]


def saved_bytes(fit: MmrmFit) -> bytes:
    """The fit as the content of a file.

    Raises
    ------
    UsageError
        If a level or a row's label is neither text, number nor truth value.
    """
    columns = [fit.rows.given[name] for name in sorted(fit.rows.given)]
    arrays = {f"column_{k}": column.values for k, column in enumerate(columns)}  # noqa: PD011
    arrays["theta"] = fit.gaussian.theta
    ended = fit.convergence
    head = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "package_version": __version__,
        **fit.form,
        "formula": fit.formula,
        "options": asdict(fit.options),
        "columns": [_column(column) for column in columns],
        "labels": _labels(fit.rows.labels),
        "notes": list(fit.notes),
        "convergence": {
            "reason": ended.reason.name,
            "iterations": ended.iterations,
            "distance": ended.distance,
            "gradient": ended.gradient,
            "condition": ended.condition,
        },
        "check": {
            "minus2_loglik": fit.minus2_loglik,
            "coefficients": {
                name: None if np.isnan(value) else float(value)
                for name, value in zip(fit.coding.names, fit.gaussian.beta, strict=True)
            },
        },
    }
    return _zipped(head, arrays)


def _column(column: Column) -> dict[str, Any]:
    levels = (
        None if column.levels is None else _plain(column.levels, f"the levels of {column.name}")
    )
    return {"name": column.name, "levels": levels}


def _labels(labels: pd.Index) -> dict[str, Any]:
    """The index of the rows, short where it merely counts."""
    if isinstance(labels, pd.RangeIndex):
        values: Any = {"start": labels.start, "stop": labels.stop, "step": labels.step}
    else:
        values = _plain(labels.tolist(), "the labels of the rows (reset_index before the fit)")
    return {"name": labels.name if isinstance(labels.name, str) else None, "values": values}


def _plain(values: Iterable[Any], what: str) -> list[str | bool | int | float]:
    """Values as JSON keeps them."""
    found = [value.item() if isinstance(value, np.generic) else value for value in values]
    for value in found:
        if type(value) not in _PLAIN:
            msg = f"save: {what} hold {value!r}; a file keeps text, numbers and truth values"
            raise UsageError(msg)
    return found


def _zipped(head: Mapping[str, Any], arrays: Mapping[str, np.ndarray[Any, Any]]) -> bytes:
    """One container, stored and undated: the same bytes wherever and whenever it is written."""
    text = json.dumps(head, ensure_ascii=False, allow_nan=False, indent=1)
    entries = {_HEAD: text.encode("utf-8")}
    entries |= {f"{name}.npy": _array_bytes(value) for name, value in sorted(arrays.items())}
    written = io.BytesIO()
    with ZipFile(written, "w", ZIP_STORED) as container:
        for name, content in entries.items():
            entry = ZipInfo(name, _ENTRY_DATE)
            entry.create_system = 0
            container.writestr(entry, content)
    return written.getvalue()


def _array_bytes(values: np.ndarray[Any, Any]) -> bytes:
    kind = "<f8" if values.dtype.kind == "f" else "<i8"
    written = io.BytesIO()
    np.lib.format.write_array(written, values.astype(kind), version=(1, 0), allow_pickle=False)
    return written.getvalue()


def read_saved(path: Path) -> Saved:
    """Read a file.

    Raises
    ------
    UsageError
        If it is not there, is damaged, is no saved fit, or was written in a later format.
    """
    try:
        with ZipFile(path) as container:
            if any(entry.compress_type != ZIP_STORED for entry in container.infolist()):
                raise ValueError("an entry is compressed")
            head = json.loads(container.read(_HEAD).decode("utf-8"))
            arrays = {
                name.removesuffix(".npy"): _read_array(container.read(name))
                for name in container.namelist()
                if name != _HEAD
            }
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror or error})") from error
    except (BadZipFile, KeyError, ValueError, EOFError) as error:
        raise damaged(path, str(error)) from error
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise damaged(path, "its head names another format")
    _check_version(path, head)
    return Saved(head, arrays)


def _read_array(content: bytes) -> np.ndarray[Any, Any]:
    return np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)


def _check_version(path: Path, head: Mapping[str, Any]) -> None:
    version = head.get("format_version")
    if not isinstance(version, int) or version < 1:
        raise damaged(path, f"its format version is {version!r}")
    if version > FORMAT_VERSION:
        by = head.get("package_version")
        msg = (
            f"{path} is a fit in format {version}, written by version {by}; this is version "
            f"{__version__}, which reads formats up to {FORMAT_VERSION}: use the later version"
        )
        raise UsageError(msg)


def damaged(path: Path, why: str) -> UsageError:
    """The error of a file that holds no fit."""
    return UsageError(f"{path} is not a saved fit, or is damaged ({why}); save the fit again")
