"""Every stored fit of R's mmrm and of PROC MIXED is asked for again by the programs written."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pandas as pd
from described import unfitted
from program_text import comments, statement

from trialmlm.programs.r_options import LINEAR

if TYPE_CHECKING:
    from pathlib import Path

DF = {
    "Satterthwaite": "satterthwaite",
    "Kenward-Roger": "kenward-roger",
    "Between-Within": "between-within",
    "Residual": "residual",
}
SANDWICH = {"Empirical": "CR0", "Empirical-Bias-Reduced": "CR2", "Empirical-Jackknife": "CR3"}


def levels(frame: pd.DataFrame, known: dict[str, list[str]]) -> pd.DataFrame:
    """The factors with their levels in R's order."""
    return frame.assign(
        **{
            name: pd.Categorical(frame[name].astype(str), order)
            for name, order in known.items()
            if name in frame
        }
    )


def call(program: str) -> dict[str, str]:
    """The arguments of mmrm() in a program."""
    (inside,) = re.findall(r"^fit <- mmrm\(\n(.*?)\n\)$", program, re.MULTILINE | re.DOTALL)
    formula, *named = (line.strip().rstrip(",") for line in inside.splitlines())
    return {"formula": formula, **dict(argument.split(" = ", 1) for argument in named)}


def as_written(spec: dict[str, object], formula: str) -> str:
    """The formula with the contrasts that the reference fit had set beside it."""
    if "contr.sum" not in str(spec["factor_coding"]):
        return formula
    fixed, covariance = formula.rsplit(" + ", 1)
    return re.sub(r"\b(RACE|SEX|ARMCD|AVISIT)\b", r"C(\1, Sum)", fixed) + f" + {covariance}"


def test_every_reference_of_mmrm_is_regenerated(reference: Path) -> None:
    files = [p for p in sorted((reference / "mmrm").glob("*.json")) if "sas_" not in p.name]
    assert len(files) >= 55
    for file in files:
        spec = json.loads(file.read_text(encoding="utf-8"))["spec"]
        frame = pd.read_csv(reference.parent / "data" / spec["dataset"])
        frame = levels(frame, spec["factor_levels"])
        linear = spec["vcov_method"] == "Kenward-Roger-Linear"
        program = unfitted(
            as_written(spec, spec["formula"]["r"]),
            frame,
            df=DF[spec["df_method"]] + ("-linear" if linear else ""),
            vcov=SANDWICH.get(spec["vcov_method"]),
            weights=(spec["weights"] or "").split(" ")[0] or None,
            reml=spec["estimation"] == "REML",
        ).to_r("fev_data")
        found = call(program)
        # mmrm's own second-order Kenward-Roger is not SAS's: the linear form stands in its place
        replaced = spec["vcov_method"] == "Kenward-Roger"
        vcov = "Kenward-Roger-Linear" if replaced else spec["vcov_method"]
        assert found["formula"] == spec["formula"]["r"], file.name
        assert found["method"] == f'"{spec["df_method"]}"', file.name
        assert found["vcov"] == f'"{vcov}"', file.name
        assert found["reml"] == str(spec["estimation"] == "REML").upper(), file.name
        weights = {"weights": "analysis$WEIGHT"} if spec["weights"] else {}
        assert {k: v for k, v in found.items() if k == "weights"} == weights, file.name
        _check_levels(program, spec["factor_levels"])
        if replaced:
            same = spec["covariance_structure"] in LINEAR
            told = "is, for this structure" if same else "leaves out the second derivatives"
            assert told in comments(program, "R"), file.name
        assert ("contr.sum" in program) == ("contr.sum" in spec["factor_coding"]), file.name


def _check_levels(program: str, known: dict[str, list[str]]) -> None:
    """Every factor of the model has its levels in order; those of the subject do not matter."""
    for name, order in known.items():
        if f'"{name}"' in program and name != "ID":
            wanted = ", ".join(map(json.dumps, order))
            assert f"analysis${name} <- factor(analysis${name}, levels = c({wanted}))" in program


#: the words of the stored listings -> ours
SAS_DF = {
    "satterthwaite": "satterthwaite", "kenwardroger": "kenward-roger", "kr": "kenward-roger",
    "kr(linear)": "kenward-roger-linear", "kenwardroger(firstorder)": "kenward-roger-linear",
    "kenwardroger_linear": "kenward-roger-linear",
    "between-within (SAS default)": "between-within",
}  # fmt: skip
DDFM = {
    "satterthwaite": "ddfm=satterthwaite", "kenward-roger": "ddfm=kr",
    "kenward-roger-linear": "ddfm=kr(linear)", "between-within": "ddfm=bw",
}  # fmt: skip
TITLES = {
    "Unstructured": "un", "Compound Symmetry": "cs", "Heterogeneous Compound Symmetry": "csh",
    "Autoregressive": "ar(1)", "Heterogeneous Autoregressive": "arh(1)", "Toeplitz": "toep",
    "Heterogeneous Toeplitz": "toeph", "Ante-dependence": "ante(1)",
    "Spatial Exponential": "sp(exp)", "Spatial Gaussian": "sp(gau)",
}  # fmt: skip


def test_every_listing_of_proc_mixed_is_asked_for_again(reference: Path) -> None:
    listings = json.loads((reference / "mmrm" / "sas_proc_mixed_fits.json").read_text("utf-8"))
    fev = pd.read_csv(reference.parent / "data" / "fev_data.csv")
    assert len(listings) == 97
    for listing in listings:
        spec = listing["spec"]
        structure, coordinates = re.fullmatch(r"(\w+)(?:\((.*)\))?", spec["covariance"]).groups()  # type: ignore[union-attr]
        within = f"{spec['group']}/USUBJID" if spec["group"] else "USUBJID"
        df = SAS_DF[spec["df_method"]]
        text = unfitted(
            f"{spec['formula']} + {structure}({coordinates or 'AVISIT'} | {within})",
            fev,
            df=df,
            vcov="CR0" if "empirical" in spec["vcov"] else None,
            weights=spec["weights"],
            reml=spec["estimation"] == "REML",
        ).to_sas("ana.dat")
        name = listing["id"]
        proc, repeated = "".join(statement(text, "proc")), "".join(statement(text, "repeated"))
        assert f"method={spec['estimation'].lower()}order" in proc, name
        assert proc.endswith("empirical") == ("empirical" in spec["vcov"]), name
        assert "".join(statement(text, "model")).endswith(DDFM[df]), name
        assert ("group=armcd" in repeated) == bool(spec["group"]), name
        assert ("  weight WEIGHT;" in text) == bool(spec["weights"]), name
        title = (listing["sas"].get("model_information") or {}).get("Covariance Structure")
        if title:
            assert f"type={TITLES[title]}" in repeated, name
        if coordinates:
            assert f"({''.join(coordinates.lower().split(', '))})" in repeated, name
