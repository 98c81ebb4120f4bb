"""The pages for SAS and R users: every number they print, against its source and a fresh run.

A table that follows ``<!-- numbers: NAME -->`` has a row per quantity; its second column shows the
other program's numbers, its last one ours. Each is compared at the decimals shown.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

import trialmlm as tm

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    #: label of a row -> numbers of the other program, numbers of ours
    Rows = Mapping[str, tuple[Sequence[float], Sequence[float]]]

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("for_sas_users.md", "for_r_users.md")
TABLE = re.compile(r"^<!-- numbers: ([\w-]+) -->\n\n?((?:\|.*\n)+)", re.MULTILINE)
NUMBER = re.compile(r"[−-]?\d[\d,]*(?:\.\d+)?(?:e-?\d+)?")
FEV = "FEV1 ~ RACE + SEX + ARMCD * AVISIT + us(AVISIT | USUBJID)"
REPEATED = "CHG ~ TRT01P * AVISIT + SITEGR1 + BASE * AVISIT + us(AVISIT | USUBJID)"
ARMS = {"placebo": "Placebo", "low": "Xanomeline Low Dose", "high": "Xanomeline High Dose"}


@dataclass(frozen=True)
class Sources:
    """Study data, and the other programs' numbers."""

    data: Path
    reference: Path

    def numbers(self, file: str) -> Any:
        """A file of reference numbers."""
        return json.loads((self.reference / file).read_text(encoding="utf-8"))

    def sas(self, name: str) -> Any:
        """A PROC MIXED listing of mmrm's repository."""
        listings = self.numbers("mmrm/sas_proc_mixed_fits.json")
        return next(found["sas"] for found in listings if found["id"] == name)

    @cached_property
    def fev(self) -> pd.DataFrame:
        """The example trial of R's mmrm, the references of its factors first."""
        frame = pd.read_csv(self.data / "fev_data.csv")
        return frame.assign(
            SEX=pd.Categorical(frame["SEX"], ["Male", "Female"]),
            ARMCD=pd.Categorical(frame["ARMCD"], ["PBO", "TRT"]),
        )

    @cached_property
    def adas(self) -> pd.DataFrame:
        """ADAS-Cog (11) of CDISC Pilot 01, windowed records of the efficacy population."""
        pyreadstat = pytest.importorskip("pyreadstat")
        frame, _ = pyreadstat.read_xport(self.data / "cdisc_pilot" / "adqsadas.xpt")
        frame = frame.query("EFFFL == 'Y' and ITTFL == 'Y' and PARAMCD == 'ACTOT'")
        frame = frame.query("ANL01FL == 'Y' and AVISITN > 0")
        visits = [f"Week {n}" for n in (8, 16, 24)]
        return frame.assign(
            TRT01P=pd.Categorical(frame["TRTP"], list(ARMS.values())),
            AVISIT=pd.Categorical(frame["AVISIT"], visits),
            DOSE=frame["TRTPN"],
        )


def row(frame: pd.DataFrame, names: str, **cell: str) -> list[float]:
    """The numbers of one row of a result, found by its labels."""
    for column, level in cell.items():
        frame = frame[frame[column] == level]
    (found,) = frame[names.split()].to_numpy().tolist()
    return found


def listed(rows: Sequence[Mapping[str, Any]], names: Sequence[str], **cell: str) -> list[float]:
    """The same of a SAS listing."""
    found = next(r for r in rows if all(r.get(key) == level for key, level in cell.items()))
    return [found[name] for name in names]


def difference(pairs: pd.DataFrame, first: str, second: str) -> list[float]:
    """Estimate, SE, limits and p of one arm less another, whichever stands first."""
    labels = {f"{ARMS[first]} - {ARMS[second]}": 1.0, f"{ARMS[second]} - {ARMS[first]}": -1.0}
    (found,) = pairs[pairs["contrast"].isin(labels)].to_dict("records")
    sign = labels[found["contrast"]]
    limits = sorted((sign * found["ci_low"], sign * found["ci_high"]))
    return [sign * found["estimate"], found["std_error"], *limits, found["p_value"]]


# --- for SAS users ------------------------------------------------------------------------------


def fev_reml(sources: Sources) -> Rows:
    sas, fit = sources.sas("us_full_reml"), tm.mmrm(FEV, sources.fev)
    means = fit.ls_means("ARMCD", by="AVISIT")
    tests = fit.anova("III")
    # SAS's visits are in the order VIS2 VIS3 VIS4 VIS1, as VIS1 is the reference
    entries = {name["parameter"]: name["estimate"] for name in sas["covariance_parameters"]}
    at_vis4 = {"AVISIT": "VIS4"}
    pair = {**at_vis4, "ARMCD": "TRT", "_AVISIT": "VIS4", "_ARMCD": "PBO"}
    return {
        "−2 Res Log Likelihood": ([sas["minus2_loglik_8dp"]], [fit.minus2_loglik]),
        "AIC": ([sas["aic_printed"]], [fit.aic]),
        "BIC": ([sas["bic_printed"]], [fit.bic]),
        "variance at VIS4": ([entries["UN(3,3)"]], [fit.covariance.loc["VIS4", "VIS4"]]),
        "covariance of VIS1 and VIS4": (
            [entries["UN(4,3)"]],
            [fit.covariance.loc["VIS1", "VIS4"]],
        ),
        "RACE White": (
            listed(sas["fixed_effects"], ("Estimate", "Error", "DF"), Effect="RACE", RACE="White"),
            row(fit.coefficients(), "estimate std_error df", term="RACEWhite"),
        ),
        "LS mean, TRT at VIS4": (
            listed(sas["lsmeans"], ("Estimate", "Error", "DF"), ARMCD="TRT", **at_vis4),
            row(means.frame, "estimate std_error df", ARMCD="TRT", **at_vis4),
        ),
        "TRT − PBO at VIS4": (
            listed(
                sas["lsmean_differences"], ("Estimate", "Error", "DF", "Lower", "Upper"), **pair
            ),
            row(
                means.contrasts("vs-control", control="PBO").frame,
                "estimate std_error df ci_low ci_high",
                **at_vis4,
            ),
        ),
        **{
            f"F of {effect}": (
                listed(sas["type3"], ("F Value", "Num DF", "Den DF"), Effect=effect),
                row(tests, "statistic num_df den_df", term=term),
            )
            for effect, term in {"RACE": "RACE", "AVISIT*ARMCD": "ARMCD:AVISIT"}.items()
        },
    }


def fev_ml(sources: Sources) -> Rows:
    sas, fit = sources.sas("us_full_ml"), tm.mmrm(FEV, sources.fev, reml=False)
    return {
        "−2 Log Likelihood": ([sas["minus2_loglik_8dp"]], [fit.minus2_loglik]),
        "AIC": ([sas["aic_printed"]], [fit.aic]),
        "BIC": ([sas["bic_printed"]], [fit.bic]),
    }


def fev_kr(sources: Sources) -> Rows:
    sas = sources.sas("us_armcd_reml_kr")["armcd_difference_TRT_minus_PBO"]
    fit = tm.mmrm("FEV1 ~ ARMCD + us(AVISIT | USUBJID)", sources.fev, df="kenward-roger")
    ours = fit.ls_means("ARMCD").contrasts("vs-control", control="PBO").frame
    names = {
        "Estimate": "estimate", "StdErr": "std_error", "DF": "df", "tValue": "statistic",
        "Lower": "ci_low", "Upper": "ci_high",
    }  # fmt: skip
    return {theirs: ([sas[theirs]], row(ours, name)) for theirs, name in names.items()}


def fev_empirical(sources: Sources) -> Rows:
    sas = sources.sas("us_armcd_reml_empirical")["armcd_difference_TRT_minus_PBO"]
    formula = "FEV1 ~ ARMCD + us(AVISIT | USUBJID)"
    fit = tm.mmrm(formula, sources.fev, vcov="CR0", df="between-within")
    ours = fit.ls_means("ARMCD").contrasts("vs-control", control="PBO").frame
    names = {
        "Estimate": "estimate", "StdErr": "std_error", "DF": "df", "tValue": "statistic",
        "Lower": "ci_low", "Upper": "ci_high",
    }  # fmt: skip
    return {theirs: ([sas[theirs]], row(ours, name)) for theirs, name in names.items()}


def sandwich(sources: Sources) -> Rows:
    kinds = {
        'vcov = "Empirical"`: CR0, Satterthwaite': ("sat_cr0", "CR0", "satterthwaite"),
        '"Empirical-Bias-Reduced"`: CR2, Satterthwaite': ("sat_cr2", "CR2", "satterthwaite"),
        '"Empirical-Jackknife"`: CR3, Satterthwaite': ("sat_cr3", "CR3", "satterthwaite"),
        "CR2, between-within": ("bw_cr2", "CR2", "between-within"),
        "model-based, between-within": ("bw", None, "between-within"),
    }
    found: dict[str, tuple[Sequence[float], Sequence[float]]] = {}
    for label, (file, vcov, df) in kinds.items():
        stored = sources.numbers(f"mmrm/fev_us_reml_{file}.json")["results_tight"]["coefficients"]
        at = stored["names"].index("ARMCDTRT")
        ours = tm.mmrm(FEV, sources.fev, vcov=vcov, df=df).coefficients()
        found[label] = (
            [stored["se"][at], stored["df"][at]],
            row(ours, "std_error df", term="ARMCDTRT"),
        )
    return found


def pilot_mmrm(sources: Sources) -> Rows:
    sas = sources.numbers("cdisc_pilot/table_14-3.11.json")["published"]["csr_sas_listing"]
    observed = sources.adas.query("DTYPE != 'LOCF'")
    fit = tm.mmrm(REPEATED, observed, df="kenward-roger")
    means, tests = fit.ls_means("TRT01P"), fit.anova("III")
    pairs = means.contrasts("pairwise").frame
    rows: dict[str, tuple[Sequence[float], Sequence[float]]] = {
        "−2 Res Log Likelihood": ([sas["m2_res_log_likelihood"]], [fit.minus2_loglik]),
        "UN(3,3)": ([sas["covariance"]["UN(3,3)"]], [fit.covariance.iloc[2, 2]]),
    }
    for arm, label in ARMS.items():
        theirs = [sas["lsmeans"][arm][key] for key in ("est", "se", "lower", "upper")]
        ours = row(means.frame, "estimate std_error ci_low ci_high", TRT01P=label)
        rows[f"LS mean, {arm}"] = (theirs, ours)
    printed = sas["differences_as_printed_placebo_minus_active"]["placebo_high"]
    estimate, error, _, _, p = difference(pairs, "placebo", "high")
    rows["placebo − high"] = (
        [printed["est"], printed["se"], printed["p"]],
        [estimate, error, p],
    )
    terms = {"SITEGRP": "SITEGR1", "AWEEK*TRTPN": "TRT01P:AVISIT", "AWEEK": "AVISIT"}
    for theirs, ours in terms.items():
        num, den, statistic, p = sas["type3"][theirs]
        names = "statistic num_df den_df p_value"
        rows[f"F of {theirs}"] = ([statistic, num, den, p], row(tests, names, term=ours))
    return rows


def pilot_glm(sources: Sources) -> Rows:
    published = sources.numbers("cdisc_pilot/table_14-3.01.json")["published"]["model"]
    week_24 = sources.adas.query("AVISITN == 24")
    fit = tm.ancova("CHG ~ TRT01P + SITEGR1 + BASE", week_24)
    dose = tm.ancova("CHG ~ DOSE + SITEGR1 + BASE", week_24).coefficients()
    pairs = fit.ls_means("TRT01P", weights="observed-margins").contrasts("pairwise").frame
    rows: dict[str, tuple[Sequence[float], Sequence[float]]] = {
        "dose response, p": ([published["dose_response_p"]], row(dose, "p_value", term="DOSE"))
    }
    for name, (first, second) in {
        "low − placebo": ("low", "placebo"),
        "high − placebo": ("high", "placebo"),
        "high − low": ("high", "low"),
    }.items():
        printed = published["contrasts"][f"{first}_{second}"]
        rows[name] = (
            [printed[key] for key in ("est", "se", "lower", "upper", "p")],
            difference(pairs, first, second),
        )
    return rows


# --- for R users --------------------------------------------------------------------------------


def fev_mmrm(sources: Sources) -> Rows:
    file = sources.numbers("mmrm/fev_us_reml_krlinear.json")["results_tight"]
    fit = tm.mmrm(FEV, sources.fev, df="kenward-roger")
    fixed, terms = file["coefficients"], file["anova_type3"]
    rows: dict[str, tuple[Sequence[float], Sequence[float]]] = {
        "deviance(fit)": ([file["minus2_loglik"]], [fit.minus2_loglik]),
        "AIC(fit)": ([file["aic"]], [fit.aic]),
        "BIC(fit)": ([file["bic"]], [fit.bic]),
    }
    at = fixed["names"].index("ARMCDTRT")
    rows["ARMCDTRT"] = (
        [fixed[key][at] for key in ("estimate", "se", "df")],
        row(fit.coefficients(), "estimate std_error df", term="ARMCDTRT"),
    )
    for weights, ours in {"equal": "equal", "proportional": "observed-margins"}.items():
        found = file[f"emmeans_{weights}"]["lsmeans"]
        at = [*zip(found["ARMCD"], found["AVISIT"], strict=True)].index(("TRT", "VIS4"))
        means = fit.ls_means("ARMCD", by="AVISIT", weights=ours)
        rows[f"TRT at VIS4, {weights}"] = (
            [found[key][at] for key in ("estimate", "SE", "df")],
            row(means.frame, "estimate std_error df", ARMCD="TRT", AVISIT="VIS4"),
        )
    pairs = fit.ls_means("ARMCD", by="AVISIT").contrasts("vs-control", control="PBO").frame
    found = file["emmeans_equal"]["contrasts_by_visit"]
    at = found["AVISIT"].index("VIS4")
    rows["TRT − PBO at VIS4"] = (
        [found[key][at] for key in ("estimate", "SE", "df")],
        row(pairs, "estimate std_error df", AVISIT="VIS4"),
    )
    for term in ("RACE", "ARMCD:AVISIT"):
        at = terms["terms"].index(term)
        rows[f"F of {term}"] = (
            [terms[key][at] for key in ("F", "num_df", "den_df")],
            row(fit.anova("III"), "statistic num_df den_df", term=term),
        )
    return rows


def kr_forms(sources: Sources) -> Rows:
    def theirs(name: str, term: str) -> list[float]:
        fixed = sources.numbers(f"mmrm/{name}.json")["results_tight"]["coefficients"]
        return [fixed["se"][fixed["names"].index(term)]]

    fev = tm.mmrm(FEV, sources.fev, df="kenward-roger").coefficients()
    sleep = pd.read_csv(sources.data / "student_sleep.csv")
    paired = tm.mmrm("extra ~ C(group) + us(group | ID)", sleep, df="kenward-roger")
    (pair,) = paired.ls_means("group").contrasts("pairwise").frame["std_error"]
    ours = {"FEV, ARMCDTRT": row(fev, "std_error", term="ARMCDTRT"), "paired sleep": [pair]}
    named = {
        "FEV, ARMCDTRT": ("fev_us_reml", "ARMCDTRT"),
        "paired sleep": ("sleep_paired_us", "group2"),
    }
    return {
        label: (theirs(f"{file}_kr", term) + theirs(f"{file}_krlinear", term), ours[label])
        for label, (file, term) in named.items()
    }


def sleepstudy(sources: Sources) -> Rows:
    file = sources.numbers("lmm/lmm_sleepstudy_slope.json")["reml"]
    data = pd.read_csv(sources.data / "sleepstudy.csv")
    fit = tm.lmm("Reaction ~ Days + (Days | Subject)", data, df="kenward-roger")
    parts, own = fit.variance_components(), file["varcomp"]["Subject"]
    effects = fit.random_effects()
    fixed = file["fixef"]
    blup = file["ranef"]["Subject"]["blup"][0]
    return {
        "REMLcrit(fit)": ([file["reml_criterion"]], [fit.minus2_loglik]),
        "AIC(fit)": ([file["AIC"]], [fit.aic]),
        "Days": (
            [fixed["estimate"][1], fixed["kr_se"][1], fixed["kr_df"][1]],
            row(fit.coefficients(), "estimate std_error df", term="Days"),
        ),
        "SD of the intercept": ([own["sd"][0]], [parts["sd"][0]]),
        "SD of Days": ([own["sd"][1]], [parts["sd"][1]]),
        "correlation": ([own["corr"][0][1]], [parts["sd"][2]]),
        "sigma(fit)": ([file["varcomp"]["Residual"]["sd"]], [parts["sd"].iloc[-1]]),
        "ranef of 308": (blup, effects["estimate"].head(2).tolist()),
    }


def pbcseq(sources: Sources) -> Rows:
    found = sources.numbers("lmm/lmm_pbcseq_slope.json")["annual_slopes"]
    data = pd.read_csv(sources.data / "pbcseq.csv")
    data["arm"] = pd.Categorical(data["trt"].map({0: "placebo", 1: "dpen"}), ["placebo", "dpen"])
    formula = "albumin ~ year * arm + (year | id)"
    rows: dict[str, tuple[Sequence[float], Sequence[float]]] = {}
    for label, keys, options in (
        ("Satterthwaite", ("estimate", "se", "satt_df"), {}),
        (
            "Kenward-Roger",
            ("estimate", "kr_se", "kr_df"),
            {"df": "kenward-roger", "information": "expected"},
        ),
    ):
        slopes = tm.lmm(formula, data, **options).slopes("year", by="arm")
        ours = {
            "placebo": row(slopes.frame, "estimate std_error df", arm="placebo"),
            "dpen": row(slopes.frame, "estimate std_error df", arm="dpen"),
            "difference": row(
                slopes.contrasts("vs-control", control="placebo").frame, "estimate std_error df"
            ),
        }
        for name, numbers in ours.items():
            rows[f"{name}, {label}"] = ([found[name][key] for key in keys], numbers)
    observed = tm.lmm(formula, data, df="kenward-roger").slopes("year", by="arm")
    pair = observed.contrasts("vs-control", control="placebo").frame
    rows["difference, Kenward-Roger, observed information"] = (
        [],
        row(pair, "estimate std_error df"),
    )
    return rows


NUMBERS: Mapping[str, Callable[[Sources], Rows]] = {
    "fev-reml": fev_reml,
    "fev-ml": fev_ml,
    "fev-kr": fev_kr,
    "fev-empirical": fev_empirical,
    "sandwich": sandwich,
    "pilot-mmrm": pilot_mmrm,
    "pilot-glm": pilot_glm,
    "fev-mmrm": fev_mmrm,
    "kr-forms": kr_forms,
    "sleepstudy": sleepstudy,
    "pbcseq": pbcseq,
}


def tables() -> dict[str, list[list[str]]]:
    """Marked tables of the pages: rows of cells, without the heading."""
    text = "".join((DOCS / page).read_text(encoding="utf-8") for page in PAGES)
    return {
        name: [
            [cell.strip().strip("`") for cell in line.strip("|\n").split("|")]
            for line in table.splitlines()[2:]
        ]
        for name, table in TABLE.findall(text)
    }


def agree(cell: str, numbers: Sequence[float], where: str) -> None:
    """Every number shown is the one meant, rounded to the decimals shown."""
    shown = NUMBER.findall(cell)
    assert len(shown) == len(numbers), f"{where}: {cell!r}, expected {list(numbers)}"
    for text, number in zip(shown, numbers, strict=True):
        plain = text.replace("−", "-").replace(",", "")
        digits, _, power = plain.partition("e")
        unit = 10.0 ** (int(power or 0) - len(digits.partition(".")[2]))
        assert abs(float(plain) - number) <= 0.500001 * unit, f"{where}: {text}, is {number!r}"


def test_every_marked_table_has_its_run() -> None:
    assert sorted(tables()) == sorted(NUMBERS)


@pytest.mark.parametrize("name", NUMBERS)
def test_the_numbers_of_the_page_are_their_source_s_and_ours(
    name: str, study_data: Path, reference: Path
) -> None:
    rows = NUMBERS[name](Sources(study_data, reference))
    shown = {cells[0]: cells[1:] for cells in tables()[name]}
    assert sorted(shown) == sorted(rows)
    for label, (theirs, ours) in rows.items():
        agree(" ".join(shown[label][:-1]), theirs, f"{label}, theirs")
        agree(shown[label][-1], ours, f"{label}, ours")
