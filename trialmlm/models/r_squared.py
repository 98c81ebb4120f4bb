"""How much of the variance a mixed model explains (Nakagawa and Schielzeth 2013)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trialmlm.models.levels import levels_of, residual_of_rows

if TYPE_CHECKING:
    from trialmlm.models.lmm_fit import LmmFit


def r_squared(fit: LmmFit) -> pd.DataFrame:
    """See :meth:`~trialmlm.models.lmm_fit.LmmFit.r_squared`."""
    fixed = float(np.var(fit.fitted, ddof=1))
    random = {
        level.name: float(((level.Z @ level.G) * level.Z).sum(axis=1).mean())
        for level in levels_of(fit)
    }
    residual = float(residual_of_rows(fit).mean())
    total = fixed + sum(random.values()) + residual
    explained = fixed + sum(random.values())
    parts = {"fixed": fixed, **random, "Residual": residual}
    rows = [("marginal", fixed, fixed / total), ("conditional", explained, explained / total)]
    rows += [(name, value, value / total) for name, value in parts.items()]
    return pd.DataFrame(rows, columns=pd.Index(["quantity", "variance", "r_squared"]))
