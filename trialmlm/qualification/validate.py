"""The whole validation run: check the installation, carry out the cases, write the report."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from trialmlm.deferred import Deferred
from trialmlm.errors import UsageError
from trialmlm.files import prepare_folder, write_file
from trialmlm.qualification.case import read_cases, read_requirements
from trialmlm.qualification.deviation import read_deviations
from trialmlm.qualification.installation import check_installation
from trialmlm.qualification.material import Material, shipped_material
from trialmlm.qualification.outcome import carry_out
from trialmlm.qualification.report import Report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trialmlm.qualification.case import Case

#: the page stands on Jinja2, which nothing before it loads
_page = Deferred("trialmlm.qualification.html", "page")
#: names of the two files
PAGE: Final = "validation.html"
RECORD: Final = "validation.json"


def validate(
    out: str | Path,
    *,
    only: Sequence[str] = (),
    run_time: str | None = None,
    material: str | Path | None = None,
) -> Report:
    """Check an installation and write the report.

    Parameters
    ----------
    out : str or Path
        The folder of the report; made where it is not there.
    only : sequence of str
        Identifiers of cases, or how they begin; by default all are carried out.
    run_time : str, optional
        What the report says of when it was made, in place of the clock. The CPU time is then
        left out, and the same installation gives the same bytes.
    material : str or Path, optional
        A folder with cases, data, reference and SHA256SUMS; by default the one that travels with
        the package.

    Returns
    -------
    Report
        What was written.

    Raises
    ------
    UsageError
        The folder cannot be written to, `only` names no case, or the cases cannot be read.
    """
    folder = Path(out)
    prepare_folder(folder)
    chosen = shipped_material() if material is None else Material(Path(material))
    report = make_report(only=only, run_time=run_time, material=chosen)
    # both are made before either is written
    files = {PAGE: _page(report).encode(), RECORD: report.to_json().encode()}
    for name, content in files.items():
        write_file(folder / name, content)
    return report


def make_report(*, only: Sequence[str], run_time: str | None, material: Material) -> Report:
    """Check the installation and carry out the cases, without writing anything.

    Raises
    ------
    UsageError
        As in `validate`.
    """
    started = time.process_time()
    said = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC") if run_time is None else run_time
    cases = read_cases(material)
    chosen = _chosen(cases, only)
    installation = check_installation(material)
    outcomes = tuple(carry_out(case, material) for case in chosen)
    return Report(
        run_time=said,
        seconds=round(time.process_time() - started, 1) if run_time is None else None,
        installation=installation,
        requirements=read_requirements(material),
        outcomes=outcomes,
        deviations=read_deviations(material),
        left_out=len(cases) - len(chosen),
        material="" if material.shipped else str(material.folder),
    )


def _chosen(cases: tuple[Case, ...], only: Sequence[str]) -> tuple[Case, ...]:
    if not only:
        return cases
    idle = [begin for begin in only if not any(case.id.startswith(begin) for case in cases)]
    if idle:
        begins = ", ".join(dict.fromkeys(case.id.rsplit("-", 1)[0] for case in cases))
        msg = f"validate: no case begins with {', '.join(idle)}; they begin with {begins}"
        raise UsageError(msg)
    return tuple(case for case in cases if case.id.startswith(tuple(only)))
