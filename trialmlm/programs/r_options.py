"""What R's mmrm calls a df method and a covariance of the estimates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trialmlm.errors import NotAvailableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trialmlm.programs.analysis import Analysis

#: structures of mmrm
STRUCTURES = frozenset(
    ["us", "cs", "csh", "ar1", "ar1h", "toep", "toeph", "ad", "adh", "sp_exp", "sp_gau"]
)
#: structures whose V is linear in the parameters that SAS and trialmlm report
LINEAR = frozenset({"us", "cs", "toep", "diag", "id"})

_NO_CR1 = (
    'mmrm has no CR1: "Empirical" is CR0; multiply its standard errors by sqrt(n / (n - 1)), n '
    "subjects."
)
_KR = (
    'mmrm\'s vcov = "Kenward-Roger" differentiates V twice in parameters of its own and is not '
    "SAS's DDFM=KR, nor kenward-roger here; "
)
_SAME = _KR + '"Kenward-Roger-Linear" is, for this structure.'
_NEAREST = (
    _KR + '"Kenward-Roger-Linear", written here, is DDFM=KR(LINEAR) and leaves out the second '
    "derivatives that this analysis has: standard errors and df differ; fit df="
    '"kenward-roger-linear" to compare.'
)


@dataclass(frozen=True, slots=True)
class MmrmOptions:
    """The arguments ``method`` and ``vcov`` of mmrm(), and what is to be said of them."""

    method: str
    vcov: str = "Asymptotic"
    remark: str = ""


#: df method -> options
_DF: Mapping[str, MmrmOptions] = {
    "satterthwaite": MmrmOptions("Satterthwaite"),
    "kenward-roger": MmrmOptions("Kenward-Roger", "Kenward-Roger-Linear"),
    "kenward-roger-linear": MmrmOptions("Kenward-Roger", "Kenward-Roger-Linear"),
    "between-within": MmrmOptions("Between-Within"),
    "containment": MmrmOptions(
        "Residual", remark="Containment df without random effects are residual df."
    ),
    "residual": MmrmOptions("Residual"),
    "asymptotic": MmrmOptions(
        "Residual",
        remark="mmrm has no infinite df: of its summary compare estimates and standard errors; "
        "df = Inf of emmeans gives the normal's.",
    ),
}
#: sandwich -> vcov and a remark
_SANDWICHES: Mapping[str, tuple[str, str]] = {
    "CR0": ("Empirical", ""),
    "CR1": ("Empirical", _NO_CR1),
    "CR2": ("Empirical-Bias-Reduced", ""),
    "CR3": ("Empirical-Jackknife", ""),
}


def mmrm_options(analysis: Analysis) -> MmrmOptions:
    """Of the analysis.

    Raises
    ------
    NotAvailableError
        If mmrm has no equivalent.
    """
    estimation, repeated = analysis.estimation, analysis.repeated
    if estimation.df not in _DF:
        msg = f"R: mmrm has no equivalent of df={estimation.df!r}"
        raise NotAvailableError(msg)
    found = _DF[estimation.df]
    if estimation.vcov:
        if estimation.vcov not in _SANDWICHES:
            msg = f"R: mmrm has no equivalent of vcov={estimation.vcov!r}"
            raise NotAvailableError(msg)
        vcov, remark = _SANDWICHES[estimation.vcov]
        return MmrmOptions(found.method, vcov, " ".join(filter(None, (found.remark, remark))))
    if estimation.df == "kenward-roger" and repeated:
        remark = _SAME if repeated.structure in LINEAR else _NEAREST
        return MmrmOptions(found.method, found.vcov, remark)
    return found
