"""What the natural parameters are called, where they are not functions of entries of Σ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from trialmlm.covariance.unstructured import lower_indices

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from trialmlm.covariance.factor_analytic import FactorAnalytic
    from trialmlm.covariance.family import Covariance
    from trialmlm.covariance.kronecker import Kronecker


@dataclass(frozen=True, slots=True)
class NaturalParameter:
    """A natural parameter as it is reported, in the order of the family's tangent.

    Attributes
    ----------
    sas : str
        As PROC MIXED calls it.
    words : str
    kind : {"variance", "covariance", "correlation", "range", "loading"}
    """

    sas: str
    words: str
    kind: str


def _spatial(sas: str, words: str, kind: str) -> Callable[[Covariance], Iterator[NaturalParameter]]:
    def listed(family: Covariance) -> Iterator[NaturalParameter]:
        yield NaturalParameter("Residual", "variance", "variance")
        if family.n_parameters > 1:
            yield NaturalParameter(sas, words, kind)

    return listed


def _factor_analytic(family: Covariance) -> Iterator[NaturalParameter]:
    for i, k in zip(*cast("FactorAnalytic", family).loadings(), strict=True):
        yield NaturalParameter(f"FA({i + 1},{k + 1})", f"loading {i + 1} on {k + 1}", "loading")
    for i in range(family.n_visits):
        yield NaturalParameter(f"FA({i + 1})", f"own variance {i + 1}", "variance")


def _kronecker(family: Covariance) -> Iterator[NaturalParameter]:
    for i, j in zip(*lower_indices(cast("Kronecker", family).shape[0]), strict=True):
        kind = "variance" if i == j else "covariance"
        yield NaturalParameter(f"UN({i + 1},{j + 1})", f"{kind} {i + 1}, {j + 1}", kind)
    yield NaturalParameter("Corr", "correlation of the second factor", "correlation")


_RANGE = "range: the distance at which the correlation is 1/e"
#: abbreviation of a family -> its natural parameters
NATURAL: Mapping[str, Callable[[Covariance], Iterator[NaturalParameter]]] = {
    "sp_exp": _spatial("SP(EXP)", _RANGE, "range"),
    "sp_gau": _spatial("SP(GAU)", _RANGE, "range"),
    "sp_pow": _spatial("SP(POW)", "correlation at distance one", "correlation"),
    "fa": _factor_analytic,
    "us_cs": _kronecker,
    "us_ar1": _kronecker,
}
