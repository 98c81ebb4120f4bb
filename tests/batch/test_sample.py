"""A simulated trial laid out quickly is the trial that a run of the protocol reads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from trialmlm.batch.power import _trial, setting_of
from trialmlm.batch.run import run
from trialmlm.batch.sample import draw_sample
from trialmlm.batch.sample_analysis import SampleTask
from trialmlm.batch.sample_imputation import Bench
from trialmlm.batch.sample_limits import lacking_of
from trialmlm.batch.sample_rows import cells_after
from trialmlm.protocol import Protocol, load_protocol
from trialmlm.protocol.missing import Missing
from trialmlm.protocol.schedule import Window
from trialmlm.simulate import simulate_trial
from trialmlm.simulate.from_protocol import asked_of
from trialmlm.simulate.streams import child_seed

MADE = Path(__file__).parents[2] / "validation" / "missing_data"
SHIPPED = Path(__file__).parents[2] / "protocols"
SEED = 5


def _protocol(design: str, folder: Path) -> Protocol:
    """The protocol of the truth table, whose imputations draw from the seed of the trial."""
    shipped = (SHIPPED / design / "protocol.yaml").read_text(encoding="utf-8")
    before, after = shipped.split("\nestimands:\n")[0], shipped[shipped.index("\nhouse:") :]
    drawn = str(child_seed(child_seed(SEED, 0, 0), 0))
    ours = (MADE / f"{design}.yaml").read_text().replace("seed: 1", f"seed: {drawn}")
    file = folder / "protocol.yaml"
    file.write_text(before + "\n\n" + ours + after)
    return load_protocol(file)


@pytest.mark.parametrize("design", ["mdd_madrs", "ipf_fvc"])
def test_every_method_says_what_a_run_of_the_protocol_says(design: str, tmp_path: Path) -> None:
    protocol = _protocol(design, tmp_path)
    setting = setting_of(protocol, "off_drug", seed=SEED)
    found = _trial(setting, 0)
    simulate_trial("off_drug", child_seed(SEED, 0, 0), design=design).write(tmp_path / "adam")
    results = run(protocol, tmp_path / "adam", tmp_path / "out", only=setting.analyses).results
    for method, numbers in found.items():
        name, _, variance = method.removesuffix("]").partition(" [")
        analysis = protocol.analysis(name)
        decides = analysis.variance.decide if analysis.variance else ""
        group = "" if variance in {"", decides} else variance
        of_run = {
            row.statistic: row.value
            for row in results.select(analysis=name)
            if row.quantity in {"difference", "slope-difference"}
            and row.visit in {"", "Week 8", "Week 52"}
            and row.group == group
        }
        assert not isinstance(numbers, str), numbers
        for place, statistic in enumerate(("estimate", "std_error", "ci_low", "ci_high")):
            assert numbers[place] == pytest.approx(of_run[statistic], rel=1e-6), method


def test_imputations_of_other_estimands_are_not_taken_for_one_another() -> None:
    """Under the hypothetical strategy what follows the stop is set aside before it is imputed."""
    mdd = load_protocol(SHIPPED / "mdd_madrs")
    mar = Missing(method="conditional-mean", otherwise="mar")
    jump = mdd.analysis("A1.jump")
    changes = {"missing": mar, "variance": None}
    design = asked_of(mdd)[1]
    bench = Bench(draw_sample(mdd, design, "off_drug", 1))
    made = [
        bench.imputed(SampleTask("a", mdd, design, analysis, 1))
        for estimand in ("E1", "E2")
        for analysis in [jump.model_copy(update={**changes, "estimand": estimand})]
    ]
    policy, hypothetical = (int(one.layout.missing.sum()) for one in made)
    assert policy < hypothetical


def test_rows_that_an_imputed_analysis_leaves_out_are_not_tried_out() -> None:
    mdd = load_protocol(SHIPPED / "mdd_madrs")
    rows = mdd.analysis("A1.completers").rows
    subset = mdd.analysis("A1.jump").model_copy(update={"rows": rows})
    assert lacking_of(mdd, asked_of(mdd)[1], subset) == "rows: with imputation"


def test_a_missing_value_of_an_open_window_ends_on_the_day_of_its_visit() -> None:
    mdd = load_protocol(SHIPPED / "mdd_madrs")
    assert mdd.schedule is not None
    *earlier, last = mdd.schedule.visits
    opened = [*earlier, last.model_copy(update={"window": Window(51, None)})]
    protocol = mdd.model_copy(
        update={"schedule": mdd.schedule.model_copy(update={"visits": tuple(opened)})}
    )
    outcomes = draw_sample(mdd, asked_of(mdd)[1], "default", 1).outcomes
    nobody = replace(outcomes, observed=np.zeros_like(outcomes.observed))
    days = np.full(outcomes.arm.size, last.day - 1.0)
    for late, expected in ((0.0, True), (1.0, False)):
        assert (cells_after(protocol, nobody, days + late)[-1] == expected).all()
