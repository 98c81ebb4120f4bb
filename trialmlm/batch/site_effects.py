"""What a model with random effects of the sites says of each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trialmlm.adam.cells import as_text
from trialmlm.formula.factor import level_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trialmlm.batch.context import Context
    from trialmlm.batch.task import Task
    from trialmlm.models.lmm_fit import LmmFit
    from trialmlm.results.statistic import Statistic


def site_effects(context: Context, task: Task, fit: LmmFit) -> Iterator[Statistic]:
    """Subjects, values and predicted effects of every site; nothing where none are random.

    Quantities ``site-intercept`` and ``site-slope``, each with the standard deviation between
    sites and, with the site as group, the predicted deviation and its standard error (Henderson
    1975); ``site`` counts its subjects (n) and values.
    """
    roles, schedule = task.protocol.data.subjects, task.protocol.schedule
    parts = [part for part in fit.parts if part.columns == (roles.site,)]
    if not parts:
        return
    time = schedule.time.name if schedule is not None and schedule.time is not None else ""
    quantities = {"(Intercept)": "site-intercept", time: "site-slope"}
    used = task.frame.iloc[fit.rows.rows]
    for site, own in used.groupby(as_text(used[str(roles.site)]), sort=True):
        keys = {"group": str(site)}
        yield context.statistic("site", "n", float(own[roles.subject].nunique()), **keys)
        yield context.statistic("site", "values", float(len(own)), **keys)
    components = fit.variance_components()
    alone = (components["group"] == parts[0].name) & (components["term_2"] == "")
    for row in components[alone].to_dict(orient="records"):
        if row["term"] in quantities:
            yield context.statistic(quantities[row["term"]], "sd", float(row["sd"]))
    effects = fit.random_effects()
    for row in effects[effects["group"] == parts[0].name].to_dict(orient="records"):
        if row["term"] in quantities:
            quantity, keys = quantities[row["term"]], {"group": level_text(row["level"])}
            yield context.statistic(quantity, "estimate", float(row["estimate"]), **keys)
            yield context.statistic(quantity, "std_error", float(row["std_error"]), **keys)
