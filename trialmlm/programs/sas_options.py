"""What SAS calls a structure, a df method and a sandwich, and what is to be said of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trialmlm.errors import NotAvailableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trialmlm.programs.analysis import Analysis, Repeated

#: structure -> TYPE=
TYPES: Mapping[str, str] = {
    "us": "un",
    "cs": "cs",
    "csh": "csh",
    "ar1": "ar(1)",
    "ar1h": "arh(1)",
    "toep": "toep",
    "toeph": "toeph",
    "adh": "ante(1)",
    "diag": "un(1)",
    "id": "vc",
    "us_cs": "un@cs",
    "us_ar1": "un@ar(1)",
    "sp_exp": "sp(exp)",
    "sp_gau": "sp(gau)",
    "sp_pow": "sp(pow)",
}
#: structure -> why SAS has none
NO_TYPE: Mapping[str, str] = {
    "ad": "TYPE=ANTE(1) has a variance for every visit and is adh here; none has one for all",
}


#: structure -> TYPE= with its one option
COUNTED: Mapping[str, str] = {"toep": "toep({})", "toeph": "toeph({})", "fa": "fa({})"}


def structure_type(repeated: Repeated) -> str:
    """TYPE= of a structure.

    Raises
    ------
    NotAvailableError
        If SAS has none.
    """
    structure = repeated.structure
    if structure in COUNTED and (repeated.options or structure not in TYPES):
        # one factor where none is counted, as with FA
        return COUNTED[structure].format(repeated.options[0][1] if repeated.options else 1)
    if structure in TYPES:
        return TYPES[structure]
    why = NO_TYPE.get(structure, "no TYPE= is known for it")
    msg = f"SAS: PROC MIXED has no structure {structure}: {why}"
    raise NotAvailableError(msg)


@dataclass(frozen=True, slots=True)
class Option:
    """An option as it is written, and a remark for the head of the program."""

    text: str
    remark: str = ""


_NONE = Option(
    "ddfm=residual chisq",
    "PROC MIXED has no infinite df (DDFM=NONE is PROC GLIMMIX's): CHISQ gives the chi-square tests "
    "and DF= of LSMEANS the normal's; the t of SOLUTION are on residual df: compare estimates and "
    "standard errors there.",
)
#: df method -> MODEL option of PROC MIXED
DDFM: Mapping[str, Option] = {
    "satterthwaite": Option(
        "ddfm=satterthwaite",
        "The df of F tests with several rows depend on the rows that span the hypothesis, and "
        "differ by a few; F itself does not.",
    ),
    "kenward-roger": Option("ddfm=kr"),
    "kenward-roger-linear": Option("ddfm=kr(linear)"),
    "between-within": Option(
        "ddfm=bw", "The df of a difference of LS means may differ: each program has its own rule."
    ),
    "containment": Option("ddfm=contain"),
    "residual": Option("ddfm=residual"),
    "asymptotic": _NONE,
}
#: df method -> MODEL option of PROC GLIMMIX, where another
_DDFM_GLIMMIX = {"asymptotic": Option("ddfm=none chisq")}
_SANDWICH_DF = Option(
    "ddfm=bw",
    "SAS works out no Satterthwaite or Kenward-Roger df for a sandwich covariance: DDFM=BW stands "
    "in their place; compare estimates and standard errors, not df.",
)


@dataclass(frozen=True, slots=True)
class Sandwich:
    """A sandwich covariance: the procedure that has it, and its option."""

    procedure: str
    option: str
    remark: str = ""


#: vcov -> its sandwich
SANDWICHES: Mapping[str, Sandwich] = {
    "CR0": Sandwich("mixed", "empirical"),
    "CR1": Sandwich(
        "mixed",
        "empirical",
        "SAS has no CR1: EMPIRICAL is CR0; multiply its standard errors by sqrt(n / (n - 1)), n "
        "subjects. (EMPIRICAL=DF of PROC GLIMMIX has n / (n - rank of X) instead.)",
    ),
    "CR2": Sandwich(
        "glimmix",
        "empirical=root",
        "CR2 is EMPIRICAL=ROOT of PROC GLIMMIX (Kauermann and Carroll); PROC MIXED has CR0 only.",
    ),
    "CR3": Sandwich(
        "glimmix",
        "empirical=firores",
        "CR3 is EMPIRICAL=FIRORES of PROC GLIMMIX (Mancl and DeRouen); PROC MIXED has CR0 only.",
    ),
}


def sandwich_of(analysis: Analysis) -> Sandwich:
    """Of the analysis; PROC MIXED without an option where its covariance is the model's.

    Raises
    ------
    NotAvailableError
        If no SAS procedure is known for it.
    """
    wanted = analysis.estimation.vcov
    if wanted is None:
        return Sandwich("mixed", "")
    if wanted not in SANDWICHES:
        msg = f"SAS: no equivalent of vcov={wanted!r} is known"
        raise NotAvailableError(msg)
    return SANDWICHES[wanted]


def df_of(analysis: Analysis) -> Option:
    """The df option of the MODEL statement.

    Raises
    ------
    NotAvailableError
        If no SAS option is known for the method.
    """
    wanted = analysis.estimation.df
    if wanted not in DDFM:
        msg = f"SAS: no DDFM= is known for df={wanted!r}"
        raise NotAvailableError(msg)
    if analysis.estimation.vcov and wanted.startswith(("satterthwaite", "kenward")):
        return _SANDWICH_DF
    if sandwich_of(analysis).procedure == "glimmix":
        return _DDFM_GLIMMIX.get(wanted, DDFM[wanted])
    return DDFM[wanted]
