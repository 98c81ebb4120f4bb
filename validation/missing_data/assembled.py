"""The protocols whose methods are tried out: the shipped ones with other estimands and methods.

Header, arms, data, visits and endpoints are those of `protocols/`; ``<design>.yaml`` beside this
file holds estimands and analyses in place of the shipped ones, which are more and slower.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from trialmlm.protocol import load_protocol

if TYPE_CHECKING:
    from trialmlm.protocol import Protocol

HERE = Path(__file__).parent
SHIPPED = HERE.parents[1] / "protocols"
DESIGNS = ("ipf_fvc", "mdd_madrs")


def assembled(design: str, folder: Path) -> Protocol:
    """Write the protocol of a design into a folder, and load it.

    Parameters
    ----------
    design : str
        One of `DESIGNS`.
    folder : Path
        Made where it is not there.
    """
    shipped = (SHIPPED / design / "protocol.yaml").read_text(encoding="utf-8")
    before, after = shipped.split("\nestimands:\n")[0], shipped[shipped.index("\nhouse:") :]
    ours = (HERE / f"{design}.yaml").read_text(encoding="utf-8")
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "protocol.yaml"
    file.write_text(f"{before}\n\n{ours}{after}", encoding="utf-8")
    return load_protocol(file)
