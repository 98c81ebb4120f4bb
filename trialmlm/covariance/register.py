"""The one table of covariance families by their name in a formula."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trialmlm.covariance.unstructured import Unstructured

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trialmlm.covariance.family import Covariance

#: name in a formula -> a family over so many visits
FAMILIES: Mapping[str, Callable[[int], Covariance]] = {"us": Unstructured}
