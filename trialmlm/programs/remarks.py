"""What stands at the head of every program."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trialmlm.programs.analysis import Analysis

PRINTED = (
    "How the numbers compare: SAS prints four or five digits; BIC, the means of covariates and the "
    "margins are of the rows used, as the DATA step keeps no others."
)
EARLY = (
    "PROC MIXED stops early, up to 1.3e-5 above the smallest -2 log-likelihood and 2e-4 relative "
    "in standard errors."
)


def head(analysis: Analysis, language: str, kind: str, data: str) -> list[str]:
    """Paragraphs: version, formula, data, and how the numbers compare."""
    estimation = analysis.estimation
    subjects = f" of {estimation.n_subjects:,} subjects" if estimation.n_subjects else ""
    written = (
        f"Written by trialmlm {analysis.version} as the {language} program of one of its analyses, "
        "for double programming; it has not been run."
    )
    used = (
        f"Data: {kind} {data} with the columns {', '.join(analysis.given)}; trialmlm used "
        f"{estimation.n_rows:,} rows{subjects}."
    )
    likelihood = "REML" if estimation.reml else "ML"
    fitted = likelihood if analysis.repeated or analysis.random else "least squares"
    methods = (
        f"Estimation: {fitted}; df: {estimation.df}; covariance of "
        f"the estimates: {estimation.vcov or 'as the df method implies'}."
    )
    return [written, f"Model: {analysis.formula}", used, methods]
