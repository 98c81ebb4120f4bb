"""Repeated-measures analysis of variance, and what it costs against the mixed model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from trialmlm.errors import FitError
from trialmlm.formula.frame import model_frame
from trialmlm.inference.distributions import f_upper
from trialmlm.inference.sphericity import Sphericity, orthonormal_contrasts, sphericity
from trialmlm.models.mmrm import mmrm
from trialmlm.models.wide import Wide, wide

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trialmlm.arrays import Array, IntArray


@dataclass(frozen=True, repr=False)
class RmAnova:
    """A repeated-measures analysis of variance of the subjects with every occasion.

    Attributes
    ----------
    frame : DataFrame
        term, num_df, den_df, sum_sq, error_sum_sq, statistic, p_value; epsilon_gg, p_gg,
        epsilon_hf, p_hf of the terms within subjects (NaN of the others).
    sphericity : Sphericity
        Mauchly's test and both ε.
    n_subjects : int
        Subjects analysed.
    dropped : tuple
        Subjects left out, as an occasion is missing.
    long : DataFrame
        Every row with a value: y, subject, occasion, group.
    names : tuple of str
        Of the terms: within; and, with groups, between and their interaction.
    """

    frame: pd.DataFrame
    sphericity: Sphericity
    n_subjects: int
    dropped: tuple[Any, ...]
    long: pd.DataFrame
    names: tuple[str, ...]

    def __repr__(self) -> str:
        return f"<RmAnova {self.n_subjects} subjects, {len(self.dropped)} dropped>"

    @property
    def notes(self) -> tuple[str, ...]:
        """What the reader of a result should know."""
        if not self.dropped:
            return ()
        total = self.n_subjects + len(self.dropped)
        lost = int(self.long["subject"].isin(self.dropped).sum())
        note = (
            f"{len(self.dropped):,} of {total:,} subjects are dropped, and {lost:,} of their "
            "values with them, as an occasion is missing; a mixed model uses them"
        )
        return (note,)

    def beside_mixed(self, structures: Sequence[str] = ("cs", "us")) -> pd.DataFrame:
        """The same tests by the mixed model, of every subject with a value.

        Parameters
        ----------
        structures : sequence of str
            Covariances over the occasions, as in ``tm.mmrm``.

        Returns
        -------
        DataFrame
            term, analysis, n_subjects, n_obs, num_df, den_df, statistic, p_value.

        Notes
        -----
        Type III, Kenward-Roger. With complete data compound symmetry gives the uncorrected F.
        """
        ours = self._corrected()
        theirs = (row for structure in structures for row in self._mixed(structure))
        columns = ["term", "analysis", "n_subjects", "n_obs", "num_df", "den_df", "statistic",
                   "p_value"]  # fmt: skip
        return pd.DataFrame([*ours, *theirs], columns=pd.Index(columns))

    def _corrected(self) -> Iterator[tuple[Any, ...]]:
        n_obs = int((~self.long["subject"].isin(self.dropped)).sum())
        kinds = {"": "uncorrected", "gg": "Greenhouse-Geisser", "hf": "Huynh-Feldt"}
        for kind, name in kinds.items():
            for row in self.frame.to_dict("records"):
                epsilon = row[f"epsilon_{kind}"] if kind else 1.0
                if not np.isnan(epsilon):  # NaN between subjects, where nothing is corrected
                    epsilon = min(1.0, epsilon)
                    df = (row["num_df"] * epsilon, row["den_df"] * epsilon)
                    p_value = row[f"p_{kind}" if kind else "p_value"]
                    title = f"repeated-measures ANOVA, {name}"
                    yield (
                        row["term"], title, self.n_subjects, n_obs, *df, row["statistic"], p_value
                    )  # fmt: skip

    def _mixed(self, structure: str) -> Iterator[tuple[Any, ...]]:
        fixed = "group * occasion" if len(self.names) > 1 else "occasion"
        names = dict(zip(("occasion", "group", "group:occasion"), self.names, strict=False))
        fit = mmrm(f"y ~ {fixed} + {structure}(occasion | subject)", self.long, df="kenward-roger")
        for row in fit.anova("III").to_dict("records"):
            tests = (row["num_df"], row["den_df"], row["statistic"], row["p_value"])
            title = f"mixed model, {structure}"
            yield (names[row["term"]], title, fit.n_subjects, fit.n_obs, *tests)


def rm_anova(
    data: pd.DataFrame, value: str, subject: str, within: str, between: str | None = None
) -> RmAnova:
    """Analyse repeated measures by the univariate analysis of variance.

    Parameters
    ----------
    data : DataFrame
        One row per subject and occasion.
    value, subject, within : str
        Columns: the number analysed, who it is of, and the occasion (visit, age, condition).
    between : str, optional
        The group of the subject, such as the arm.

    Returns
    -------
    RmAnova
        Subjects without all occasions are dropped, as this analysis cannot use them; `dropped`
        and `notes` say who.

    Raises
    ------
    FitError
        If a subject has two values of an occasion or two groups; or too few subjects are complete.

    Notes
    -----
    Type III: effects within subjects are of the unweighted mean of the groups. With orthonormal
    contrasts M over occasions and rows L over groups, SS = tr M'(Lμ̂)'(L N⁻¹ L')⁻¹ Lμ̂ M, its
    error tr M'EM. The corrections multiply both degrees of freedom by ε.

    Examples
    --------
    >>> found = rm_anova(orthodont, "distance", "Subject", "age", "Sex")  # doctest: +SKIP
    >>> found.frame, found.sphericity, found.beside_mixed()  # doctest: +SKIP
    """
    wanted = [value, subject, within, *([between] if between else [])]
    table = wide(model_frame(data, wanted).variables, value, subject, within, between)
    mean, counts, E = _cells(table)
    n, T = int(counts.sum()), mean.shape[1]
    df = n - len(counts)
    if df < 1 or (counts < 1).any():
        msg = (
            f"rm_anova: {n} subjects have all {T} occasions, of {len(counts)} groups; each group "
            "needs one, and one group two. Use mmrm, which needs no complete subjects"
        )
        raise FitError(msg)
    if not float(np.trace(E)) > 1e-24 * float(np.square(table.Y).sum()):
        msg = f"rm_anova: {value} does not vary between the subjects of a group; no error is left"
        raise FitError(msg)
    found = sphericity(E / df, df)
    names = (within, between, f"{between}:{within}") if between else (within,)
    rows = [_row(*part, found, df) for part in _sums(mean, counts, E, names)]
    return RmAnova(pd.DataFrame(rows), found, n, table.dropped, table.long, names)


def _cells(table: Wide) -> tuple[Array, IntArray, Array]:
    """Means (group × occasion), subjects per group, sums of squares and products within groups."""
    groups = len(table.groups)
    counts = np.bincount(table.group, minlength=groups)
    onehot = np.eye(groups)[table.group]
    mean = (onehot.T @ table.Y) / np.maximum(counts, 1)[:, None]
    rest = table.Y - mean[table.group]
    return mean, counts, rest.T @ rest


def _sums(
    mean: Array, counts: IntArray, E: Array, names: tuple[str, ...]
) -> Iterator[tuple[str, bool, int, float, float]]:
    """Each term: name, whether within, df, sum of squares, its error's."""
    G, T = mean.shape
    level, contrasts = np.full((T, 1), T**-0.5), orthonormal_contrasts(T)
    average = np.full((1, G), 1.0 / G)
    differences = orthonormal_contrasts(G).T if G > 1 else np.zeros((0, 1))
    pieces = [(average, contrasts)]
    if len(names) > 1:
        pieces = [(average, contrasts), (differences, level), (differences, contrasts)]
    for name, (L, M) in zip(names, pieces, strict=True):
        shift = L @ mean @ M
        weight = np.linalg.inv((L / counts) @ L.T)
        sum_sq = float(np.trace(shift.T @ weight @ shift))
        yield name, M is contrasts, len(L) * M.shape[1], sum_sq, float(np.trace(M.T @ E @ M))


def _row(
    name: str, inside: bool, num_df: int, sum_sq: float, error: float, found: Sphericity, df: int
) -> dict[str, Any]:
    den_df = df * round(1.0 / found.lower_bound) if inside else df
    F = (sum_sq / num_df) / (error / den_df)
    row = {
        "term": name,
        "num_df": num_df,
        "den_df": den_df,
        "sum_sq": sum_sq,
        "error_sum_sq": error,
        "statistic": F,
        "p_value": f_upper(F, num_df, den_df),
    }
    corrections = {"gg": found.greenhouse_geisser, "hf": found.huynh_feldt}
    for kind, epsilon in corrections.items():
        used = min(1.0, epsilon)
        row[f"epsilon_{kind}"] = epsilon if inside else float("nan")
        row[f"p_{kind}"] = f_upper(F, num_df * used, den_df * used) if inside else float("nan")
    return row
