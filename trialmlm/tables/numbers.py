"""Numbers as a clinical study report prints them, by the rules of one house."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Final, Literal

from trialmlm.errors import UsageError

#: wide enough for any double with any number of decimals; the default context stops at 28 digits
_WIDE: Final = Context(prec=800)

#: how a bound is written before its decimals: `<0.001` or, as SAS PVALUE does, `<.001`
_BOUND_LEAD: Final = {"plain": "0.", "sas": "."}


def round_half_away(value: float, decimals: int) -> Decimal:
    """Round half away from zero, on the value as a decimal of 15 significant digits.

    This is what SAS ROUND and PUT do: 42.65, stored as 42.649999999999999, becomes 42.7.

    Parameters
    ----------
    value : float
        A finite number at full precision, never one rounded before.
    decimals : int
        Decimals to keep.

    Returns
    -------
    Decimal
        With exactly `decimals` decimals; a small negative value keeps its sign as ``-0.0``.

    Raises
    ------
    UsageError
        The value is not finite.
    """
    if not math.isfinite(value):
        raise UsageError(f"cannot round {value}: expected a finite number")
    return _decimal(value).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP, _WIDE)


def _decimal(value: float) -> Decimal:
    """Give the value as a decimal of 15 digits; zero has no sign."""
    return Decimal(f"{value + 0.0:.15g}")


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """The house rules that turn a number at full precision into the text of a cell.

    None is a value that does not exist and prints `missing`; NaN and infinity are a statistic
    that could not be computed and print `not_estimable`.

    Parameters
    ----------
    negative_zero : {'keep', 'drop'}
        What -0.0399 prints at one decimal: ``-0.0`` as SAS does, or ``0.0``.
    p_decimals : int
        Decimals of a p-value.
    p_style : {'plain', 'sas'}
        A p-value beyond what its decimals can show prints ``<0.001`` (plain) or ``<.001`` (sas);
        likewise ``>0.999``, so that neither 0.000 nor 1.000 is ever printed.
    percent_decimals : int
        Decimals of a percentage.
    percent_width : int
        Pads the percentage to this width inside its parentheses; 0 does not pad.
    small_percent : {'bound', 'round'}
        What 2 of 400 prints at no decimals: ``2 (<1%)`` or ``2 (1%)``; likewise ``>99%``.
    not_estimable, missing : str
        Texts for a statistic that cannot be estimated, and for no value.
    """

    negative_zero: Literal["keep", "drop"] = "keep"
    p_decimals: int = 3
    p_style: Literal["plain", "sas"] = "plain"
    percent_decimals: int = 0
    percent_width: int = 0
    small_percent: Literal["bound", "round"] = "bound"
    not_estimable: str = "NE"
    missing: str = ""

    def number(self, value: float | None, decimals: int) -> str:
        """Print a statistic.

        Parameters
        ----------
        value : float or None
            At full precision.
        decimals : int
            Decimals to print.
        """
        if value is None:
            return self.missing
        if not math.isfinite(value):
            return self.not_estimable
        rounded = round_half_away(value, decimals)
        return f"{abs(rounded) if self._signless(rounded) else rounded:f}"

    def p_value(self, value: float | None) -> str:
        """Print a p-value, or the bound it lies beyond.

        Raises
        ------
        UsageError
            The value is outside [0, 1].
        """
        if value is None or not math.isfinite(value):
            return self.number(value, self.p_decimals)
        if not 0 <= value <= 1:
            raise UsageError(f"found a p-value of {value}: expected one between 0 and 1")
        step = Decimal(1).scaleb(-self.p_decimals)
        lead = _BOUND_LEAD[self.p_style]
        if _decimal(value) < step:
            return f"<{lead}{'1'.zfill(self.p_decimals)}"
        if _decimal(value) > 1 - step:
            return f">{lead}{'9' * self.p_decimals}"
        return self.number(value, self.p_decimals)

    def percent(self, n: int | None, denominator: int) -> str:
        """Print a count with its percentage: ``12 (15%)``; none prints ``0`` alone.

        Raises
        ------
        UsageError
            The count is not between 0 and the denominator.
        """
        if n is None:
            return self.missing
        if not 0 <= n <= denominator:
            raise UsageError(
                f"found {n} of {denominator}: expected a count between 0 and its denominator"
            )
        if n == 0:
            return self.count(n)
        return f"{self.count(n)} ({self._share(n, denominator).rjust(self.percent_width)}%)"

    def count(self, n: int | None) -> str:
        """Print a number of subjects, visits or events."""
        return self.missing if n is None else f"{n:d}"

    def _share(self, n: int, denominator: int) -> str:
        """Print the percentage, or the bound it lies beyond."""
        share = 100 * n / denominator
        step = Decimal(1).scaleb(-self.percent_decimals)
        if self.small_percent == "bound" and _decimal(share) < step:
            return f"<{step:f}"
        if self.small_percent == "bound" and n < denominator and _decimal(share) > 100 - step:
            return f">{100 - step:f}"
        return self.number(share, self.percent_decimals)

    def _signless(self, rounded: Decimal) -> bool:
        return self.negative_zero == "drop" and rounded.is_zero()
