"""The one table of df methods by their name in ``df=``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trialmlm.inference.fixed_df import asymptotic, residual
from trialmlm.inference.kenward_roger import KenwardRoger
from trialmlm.inference.satterthwaite import Satterthwaite

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trialmlm.engine.fit import GaussianFit
    from trialmlm.inference.method import Method

#: name -> method of a Gaussian fit; the second argument is the kind of information behind W.
#: Kenward-Roger and its linear form are one for the unstructured family and others that are linear.
DF_METHODS: Mapping[str, Callable[[GaussianFit, str], Method]] = {
    "satterthwaite": Satterthwaite.of,
    "kenward-roger": KenwardRoger.of,
    "kenward-roger-linear": KenwardRoger.linear,
    "residual": residual,
    "asymptotic": asymptotic,
}
