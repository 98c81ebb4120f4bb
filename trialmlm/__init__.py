"""Longitudinal analysis of clinical trials: protocol file in, regulatory tables out.

Every public name is loaded when it is first asked for, so that ``import trialmlm`` stays light.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from trialmlm._version import __version__

if TYPE_CHECKING:
    from trialmlm.batch.run import run
    from trialmlm.figures.bland_altman import bland_altman_plot
    from trialmlm.figures.calibration import calibration_plot
    from trialmlm.figures.completed import completed_plot
    from trialmlm.figures.kaplan_meier import kaplan_meier_plot
    from trialmlm.figures.missing_patterns_plot import missing_patterns_plot
    from trialmlm.figures.pooling import caterpillar_plot, shrinkage_plot
    from trialmlm.figures.repeated import pseudobulk_plot, rm_anova_plot
    from trialmlm.figures.tipping import tipping_curve, tipping_heat_map
    from trialmlm.figures.traces import trace_plot
    from trialmlm.figures.variances import agreement_plot, precision_plot, variance_plot
    from trialmlm.figures.within_between import within_between_plot
    from trialmlm.missing.carry_forward import carry_forward
    from trialmlm.missing.compare_methods import ComparedMethod, compare_methods
    from trialmlm.missing.completers import completers
    from trialmlm.missing.delta import AccumulatedDelta, Delta, DeltaFactor, DeltaPerTime
    from trialmlm.missing.dropout_model import dropout_model
    from trialmlm.missing.dropout_times import dropout_times
    from trialmlm.missing.given import analyse_imputed, given_imputations
    from trialmlm.missing.impute import impute
    from trialmlm.missing.imputed import Imputed
    from trialmlm.missing.little import little_test
    from trialmlm.missing.patterns import missing_patterns
    from trialmlm.missing.per_protocol import per_protocol
    from trialmlm.missing.rank_ancova import rank_ancova
    from trialmlm.missing.sampler import Sampler
    from trialmlm.missing.strategies import Course, register_strategy
    from trialmlm.models.agreement import agreement
    from trialmlm.models.ancova import ancova
    from trialmlm.models.bland_altman import bland_altman
    from trialmlm.models.by_groups import by_groups
    from trialmlm.models.calibration import calibration
    from trialmlm.models.clda import clda
    from trialmlm.models.compare import compare
    from trialmlm.models.gatekeeping import graphical_test
    from trialmlm.models.ladder import Step, mmrm_ladder
    from trialmlm.models.likelihood_ratio import likelihood_ratio
    from trialmlm.models.lmm import lmm
    from trialmlm.models.load_fit import load_fit
    from trialmlm.models.mmrm import mmrm
    from trialmlm.models.parametric_bootstrap import parametric_bootstrap
    from trialmlm.models.precision import precision
    from trialmlm.models.profile_intervals import profile_intervals
    from trialmlm.models.pseudobulk import aggregate, pseudobulk
    from trialmlm.models.random_effects_test import random_effects_test
    from trialmlm.models.rm_anova import rm_anova
    from trialmlm.models.within_between import within_between
    from trialmlm.protocol.load import load_protocol
    from trialmlm.time_to_event.kaplan_meier import kaplan_meier

_PUBLIC = {
    "AccumulatedDelta": "trialmlm.missing.delta",
    "ComparedMethod": "trialmlm.missing.compare_methods",
    "Course": "trialmlm.missing.strategies",
    "Delta": "trialmlm.missing.delta",
    "DeltaFactor": "trialmlm.missing.delta",
    "DeltaPerTime": "trialmlm.missing.delta",
    "Imputed": "trialmlm.missing.imputed",
    "Sampler": "trialmlm.missing.sampler",
    "Step": "trialmlm.models.ladder",
    "aggregate": "trialmlm.models.pseudobulk",
    "agreement": "trialmlm.models.agreement",
    "agreement_plot": "trialmlm.figures.variances",
    "analyse_imputed": "trialmlm.missing.given",
    "ancova": "trialmlm.models.ancova",
    "bland_altman": "trialmlm.models.bland_altman",
    "bland_altman_plot": "trialmlm.figures.bland_altman",
    "by_groups": "trialmlm.models.by_groups",
    "calibration": "trialmlm.models.calibration",
    "calibration_plot": "trialmlm.figures.calibration",
    "carry_forward": "trialmlm.missing.carry_forward",
    "caterpillar_plot": "trialmlm.figures.pooling",
    "clda": "trialmlm.models.clda",
    "compare": "trialmlm.models.compare",
    "compare_methods": "trialmlm.missing.compare_methods",
    "completed_plot": "trialmlm.figures.completed",
    "completers": "trialmlm.missing.completers",
    "dropout_model": "trialmlm.missing.dropout_model",
    "dropout_times": "trialmlm.missing.dropout_times",
    "given_imputations": "trialmlm.missing.given",
    "graphical_test": "trialmlm.models.gatekeeping",
    "impute": "trialmlm.missing.impute",
    "kaplan_meier": "trialmlm.time_to_event.kaplan_meier",
    "kaplan_meier_plot": "trialmlm.figures.kaplan_meier",
    "likelihood_ratio": "trialmlm.models.likelihood_ratio",
    "little_test": "trialmlm.missing.little",
    "lmm": "trialmlm.models.lmm",
    "load_fit": "trialmlm.models.load_fit",
    "load_protocol": "trialmlm.protocol.load",
    "missing_patterns": "trialmlm.missing.patterns",
    "missing_patterns_plot": "trialmlm.figures.missing_patterns_plot",
    "mmrm": "trialmlm.models.mmrm",
    "mmrm_ladder": "trialmlm.models.ladder",
    "parametric_bootstrap": "trialmlm.models.parametric_bootstrap",
    "per_protocol": "trialmlm.missing.per_protocol",
    "precision": "trialmlm.models.precision",
    "precision_plot": "trialmlm.figures.variances",
    "profile_intervals": "trialmlm.models.profile_intervals",
    "pseudobulk": "trialmlm.models.pseudobulk",
    "pseudobulk_plot": "trialmlm.figures.repeated",
    "random_effects_test": "trialmlm.models.random_effects_test",
    "rank_ancova": "trialmlm.missing.rank_ancova",
    "register_strategy": "trialmlm.missing.strategies",
    "rm_anova": "trialmlm.models.rm_anova",
    "rm_anova_plot": "trialmlm.figures.repeated",
    "run": "trialmlm.batch.run",
    "shrinkage_plot": "trialmlm.figures.pooling",
    "tipping_curve": "trialmlm.figures.tipping",
    "tipping_heat_map": "trialmlm.figures.tipping",
    "trace_plot": "trialmlm.figures.traces",
    "variance_plot": "trialmlm.figures.variances",
    "within_between": "trialmlm.models.within_between",
    "within_between_plot": "trialmlm.figures.within_between",
}

__all__ = [
    "AccumulatedDelta",
    "ComparedMethod",
    "Course",
    "Delta",
    "DeltaFactor",
    "DeltaPerTime",
    "Imputed",
    "Sampler",
    "Step",
    "__version__",
    "aggregate",
    "agreement",
    "agreement_plot",
    "analyse_imputed",
    "ancova",
    "bland_altman",
    "bland_altman_plot",
    "by_groups",
    "calibration",
    "calibration_plot",
    "carry_forward",
    "caterpillar_plot",
    "clda",
    "compare",
    "compare_methods",
    "completed_plot",
    "completers",
    "dropout_model",
    "dropout_times",
    "given_imputations",
    "graphical_test",
    "impute",
    "kaplan_meier",
    "kaplan_meier_plot",
    "likelihood_ratio",
    "little_test",
    "lmm",
    "load_fit",
    "load_protocol",
    "missing_patterns",
    "missing_patterns_plot",
    "mmrm",
    "mmrm_ladder",
    "parametric_bootstrap",
    "per_protocol",
    "precision",
    "precision_plot",
    "profile_intervals",
    "pseudobulk",
    "pseudobulk_plot",
    "random_effects_test",
    "rank_ancova",
    "register_strategy",
    "rm_anova",
    "rm_anova_plot",
    "run",
    "shrinkage_plot",
    "tipping_curve",
    "tipping_heat_map",
    "trace_plot",
    "variance_plot",
    "within_between",
    "within_between_plot",
]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        msg = f"module 'trialmlm' has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
