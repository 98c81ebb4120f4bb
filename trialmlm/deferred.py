"""Functions that stand on a heavy or optional library, loaded when they are first called."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from trialmlm.errors import NotAvailableError


@dataclass(frozen=True, slots=True)
class Deferred:
    """A function by its name, so that a register can hold it without loading its library.

    Attributes
    ----------
    module, name : str
        Where it is, and what it is called there.
    extra : str
        The extra that installs the library; empty if it comes with the package.
    """

    module: str
    name: str
    extra: str = ""

    def __call__(self, *given: Any) -> Any:
        """Load the function and call it.

        Raises
        ------
        NotAvailableError
            The library of the extra is not installed.
        """
        return self.function(*given)

    @property
    def function(self) -> Any:
        """The function itself."""
        try:
            return getattr(import_module(self.module), self.name)
        except ModuleNotFoundError as missing:
            if not self.extra or f"{missing.name}".startswith("trialmlm"):
                raise
            message = f"the package {missing.name} is not installed, and {self.name} needs it"
            install = f'pip install "trialmlm[{self.extra}]"'
            raise NotAvailableError(f"{message}. Install it: {install}.") from missing
