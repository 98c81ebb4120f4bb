"""The one register of covariance families by their name in a formula."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from trialmlm.covariance.correlation import (
    AnteDependent,
    Autoregressive,
    Banded,
    Exchangeable,
    Independent,
)
from trialmlm.covariance.factor_analytic import FactorAnalytic
from trialmlm.covariance.kronecker import Kronecker
from trialmlm.covariance.spatial import Decay, PowerDecay, RangeDecay, Spatial
from trialmlm.covariance.structured import LinearStructure, Structured
from trialmlm.covariance.unstructured import Unstructured

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trialmlm.arrays import Array
    from trialmlm.covariance.correlation import Correlation
    from trialmlm.covariance.family import Covariance


def _linear(correlation: Correlation, name: str, title: str) -> Callable[[int], Covariance]:
    return partial(LinearStructure, correlation=correlation, abbreviation=name, title=title)


def _structured(
    correlation: Correlation, name: str, title: str, *, heterogeneous: bool
) -> Callable[[int], Covariance]:
    return partial(
        Structured,
        correlation=correlation,
        heterogeneous=heterogeneous,
        abbreviation=name,
        title=title,
    )


def _toeplitz(T: int, bands: int | None = None) -> Covariance:
    return _linear(Banded(bands), "toep", "Toeplitz" + _of_bands(bands))(T)


def _heterogeneous_toeplitz(T: int, bands: int | None = None) -> Covariance:
    title = "Heterogeneous Toeplitz" + _of_bands(bands)
    return _structured(Banded(bands), "toeph", title, heterogeneous=True)(T)


def _of_bands(bands: int | None) -> str:
    return "" if bands is None else f" ({bands} bands)"


def _crossed(
    correlation: Correlation, name: str, title: str
) -> Callable[[tuple[int, int]], Covariance]:
    return partial(Kronecker, correlation=correlation, abbreviation=name, title=title)


def _spatial(decay: Decay, name: str, title: str) -> Callable[[Array], Covariance]:
    def over(distances: Array) -> Covariance:
        correlation = Spatial(decay, distances)
        return Structured(distances.shape[-1], correlation, False, name, title)

    return over


#: name in a formula -> a family over so many visits, options as keywords. SAS's names: UN, CS, CSH,
#: AR(1), ARH(1), TOEP, TOEPH, ANTE(1) with one variance, ANTE(1), UN(1), VC, FA(q)
FAMILIES: Mapping[str, Callable[..., Covariance]] = {
    "us": Unstructured,
    "cs": _linear(Exchangeable(), "cs", "Compound symmetry"),
    "csh": _structured(
        Exchangeable(), "csh", "Heterogeneous compound symmetry", heterogeneous=True
    ),
    "ar1": _structured(Autoregressive(), "ar1", "Autoregressive", heterogeneous=False),
    "ar1h": _structured(
        Autoregressive(), "ar1h", "Heterogeneous autoregressive", heterogeneous=True
    ),
    "toep": _toeplitz,
    "toeph": _heterogeneous_toeplitz,
    "ad": _structured(AnteDependent(), "ad", "Ante-dependence", heterogeneous=False),
    "adh": _structured(AnteDependent(), "adh", "Heterogeneous ante-dependence", heterogeneous=True),
    "diag": _structured(Independent(), "diag", "Diagonal", heterogeneous=True),
    "id": _linear(Independent(), "id", "Independence, one variance"),
    "fa": FactorAnalytic,
}

#: name in a formula -> a family over distances (T × T, or n × T × T where each subject has times
#: of its own). SAS's names: SP(EXP), SP(GAU), SP(POW)
SPATIAL: Mapping[str, Callable[[Array], Covariance]] = {
    "sp_exp": _spatial(RangeDecay(1), "sp_exp", "Spatial exponential"),
    "sp_gau": _spatial(RangeDecay(2), "sp_gau", "Spatial Gaussian"),
    "sp_pow": _spatial(PowerDecay(), "sp_pow", "Spatial power"),
}

#: name in a formula -> a family over the levels of two factors. SAS's names: UN@CS, UN@AR(1)
CROSSED: Mapping[str, Callable[[tuple[int, int]], Covariance]] = {
    "us_cs": _crossed(Exchangeable(), "us_cs", "Unstructured by compound symmetry"),
    "us_ar1": _crossed(Autoregressive(), "us_ar1", "Unstructured by autoregressive"),
}
