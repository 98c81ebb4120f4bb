"""Analysis of imputed data, and its pooled answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trialmlm.missing.analysed import AnalysedImputation
from trialmlm.missing.analyses import find_analysis
from trialmlm.missing.comparison import comparison
from trialmlm.missing.hypothesis_tests import find_alternative
from trialmlm.missing.imputed_cells import number_of
from trialmlm.missing.model_analysis import Times
from trialmlm.missing.plan import DEFAULT, Plan, Resamples, variances_of
from trialmlm.missing.pooled import Hypothesis
from trialmlm.missing.shift import read_shift

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trialmlm.missing.analyses import Model
    from trialmlm.missing.imputation import Imputation
    from trialmlm.missing.plan import AskedVariance
    from trialmlm.missing.shift import AskedDelta
    from trialmlm.models.contrast_kinds import Asked


def plan(
    imputation: Imputation,
    model: Model,
    *,
    at: Any = None,
    variance: AskedVariance = DEFAULT,
    contrasts: Asked = "vs-control",
    control: str | None = None,
    weights: str = "equal",
    confidence: float = 0.95,
    alternative: str = "two-sided",
    null: float = 0.0,
    slope: str | None = None,
    targets: Mapping[Any, float] | None = None,
    replicates: int | None = None,
    seed: int | None = None,
    imputations: int | None = None,
) -> Plan:
    """Check what is asked; the parameters are those of :func:`analyse`."""
    find_alternative(alternative, confidence)
    number_of("null", null)
    found = variances_of(variance, imputation)
    resamples = Resamples(replicates, seed, imputations)
    resamples.check(found)
    layout = imputation.layout
    asked = comparison(layout, at, contrasts, control, weights, imputation.reference)
    analysis = find_analysis(model, layout, asked, Times(slope, targets))
    return Plan(imputation, analysis, found, Hypothesis(confidence, alternative, null), resamples)


def analyse(
    imputation: Imputation, model: Model, *, delta: AskedDelta = None, **asked: Any
) -> AnalysedImputation:
    """Analyse every completed data set, and pool.

    Parameters
    ----------
    imputation : Imputed, or what `given` made of ready imputed data
    model : str or callable
        A formula. Without covariance or random effects: an ANCOVA at each visit, ``CHG ~ BASE +
        ARM``. With a residual covariance: an MMRM, ``… + us(AVISIT | USUBJID)``. With random
        effects: a mixed model, ``… + (1 + YEARS | USUBJID)``. Or a function of a completed data
        frame (all visits) that returns an estimate, (estimate, standard error) or (estimate,
        standard error, df), or a mapping of names to such.
    delta : number, mapping of arm to number, DataFrame, rule or several rules, optional
        Added to the imputed values before the analysis: to all; to those of arms; by subject and
        visit; or as a rule of :mod:`~trialmlm.missing.delta` says.
    at : optional
        A visit or a list of them; every one by default.
    variance : str, None, or mapping
        ``rubin`` (the default for random draws, under reference-based assumptions too),
        ``jackknife`` (the default for conditional means), ``bootstrap``,
        ``bootstrap-percentile``, ``bootstrap-bca``, ``von-hippel-bartlett``; None for the estimate
        alone. ``{"decide": "rubin", "show": ["jackknife"]}`` gives both in one frame, and says
        which decides; what resamples subjects analyses conditional means of the same model.
    contrasts, control
        Of the arms' means, as in ``LsMeans.contrasts``; the control is the reference arm of the
        imputation by default.
    weights : {"equal", "observed-margins"}
        Over the other factors of the analysis.
    confidence, alternative, null
        Of intervals and tests: two-sided, or greater or less than `null`.
    slope : str, optional
        Of a mixed model: the time whose slopes by arm are compared.
    targets : mapping of visit to number, optional
        Of a model with a time that the data give for observed rows alone: where imputed ones are.
    replicates, seed, imputations : int, optional
        Of a bootstrap; imputations of each replicate for ``von-hippel-bartlett``.

    Returns
    -------
    AnalysedImputation
        With `frame`; ``print`` shows it.

    Raises
    ------
    UsageError, ExpressionError
        If what is asked is not known or does not go together.
    DataError
        If a covariate is missing.
    FitError
        If the data do not carry the model, or too many fillings give no answer.

    Notes
    -----
    Everything is checked before the first filling is analysed. An ANCOVA is solved for all
    fillings and visits at once: the estimates are linear in the imputed values.

    Examples
    --------
    >>> analyse(imputed, "CHG ~ BASE + ARM", at="Week 8").frame  # doctest: +SKIP
    """
    made = plan(imputation, model, **asked)
    shift = read_shift(delta, imputation)
    answers = made.answers(shift)
    return AnalysedImputation(made, answers, made.pool(answers), shift)
