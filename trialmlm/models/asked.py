"""What analyses of plain columns ask of their arguments, and say of their rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trialmlm.errors import UsageError

if TYPE_CHECKING:
    from trialmlm.formula.frame import ModelFrame


def check_share(name: str, share: float) -> None:
    """Refuse what is not a number between 0 and 1.

    Raises
    ------
    UsageError
    """
    if not 0.0 < share < 1.0:
        msg = f"{name}: found {share!r}, expected a number between 0 and 1, as 0.95"
        raise UsageError(msg)


def rows_lost(frame: ModelFrame, rows: str = "rows") -> tuple[str, ...]:
    """How many rows are not used, and why; nothing if all are."""
    lost = frame.n_read - frame.rows.size
    if not lost:
        return ()
    why = ", ".join(f"{name} missing in {count:,}" for name, count in frame.absent.items())
    return (f"{lost:,} of {frame.n_read:,} {rows} not used: {why}",)
