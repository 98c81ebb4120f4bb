"""What a case asks the package to do, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from trialmlm.missing.carry_forward import carry_forward
from trialmlm.missing.completers import completers
from trialmlm.missing.little import little_test
from trialmlm.missing.patterns import missing_patterns
from trialmlm.models.ancova import ancova
from trialmlm.models.lmm import lmm
from trialmlm.models.mmrm import mmrm

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trialmlm.qualification.material import Material

    #: a data set and the arguments of the case -> what was made
    Procedure = Callable[[pd.DataFrame, Mapping[str, Any]], Any]


def _of_formula(fit: Callable[..., Any]) -> Procedure:
    def carried_out(data: pd.DataFrame, call: Mapping[str, Any]) -> Any:
        options = {name: value for name, value in call.items() if name != "formula"}
        return fit(call["formula"], data, **options)

    return carried_out


def _of_frame(function: Callable[..., Any]) -> Procedure:
    return lambda data, call: function(data, **call)


#: name in a case -> what is done
PROCEDURES: Final[Mapping[str, Procedure]] = {
    "mmrm": _of_formula(mmrm),
    "lmm": _of_formula(lmm),
    "ancova": _of_formula(ancova),
    "carry_forward": _of_frame(carry_forward),
    "completers": _of_frame(completers),
    "missing_patterns": _of_frame(missing_patterns),
    "little_test": _of_frame(little_test),
}


def prepared(material: Material, stated: Mapping[str, Any]) -> pd.DataFrame:
    """The data of a case: levels in order, rows chosen, columns copied as text.

    Parameters
    ----------
    material : Material
    stated : mapping
        file; levels: column -> its levels in order, the reference first; where: column -> values
        kept; text: new column -> column whose text it is.

    Raises
    ------
    MaterialError
        The data set is missing or cannot be read.
    """
    frame = material.table(stated["file"])
    for new, old in stated.get("text", {}).items():
        frame[new] = frame[old].astype(str)
    for column, kept in stated.get("where", {}).items():
        frame = frame[frame[column].isin(kept)]
    levels = {
        column: pd.Categorical(frame[column], order)
        for column, order in stated.get("levels", {}).items()
    }
    return frame.assign(**levels)
