"""The register of what an expression may call."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Function:
    """A function a text may call.

    Attributes
    ----------
    name : str
        As it is written.
    least, most : int
        How many arguments it takes without a keyword.
    keywords : tuple of str
        Its keywords; their values are constants, unless `values` says otherwise.
    first, rest : str
        The dialects in which its first argument and the others are read.
    values : str
        The dialect in which the values of its keywords are read.
    """

    name: str
    least: int = 1
    most: int = 1
    keywords: tuple[str, ...] = ()
    first: str = "arithmetic"
    rest: str = "constant"
    values: str = "constant"

    def place(self, number: int) -> str:
        """Return the dialect of argument `number`, counted from 0."""
        return self.rest if number else self.first


@dataclass(frozen=True, slots=True)
class Structure:
    """A residual covariance structure a formula may name.

    Attributes
    ----------
    name : str
        As it is written.
    title : str
        As it is read.
    spatial : bool
        True where it takes coordinates (one or more) instead of a visit.
    crossed : bool
        True where it takes two factors instead of a visit.
    options : tuple of str
        Its keywords, whose values are whole numbers.
    """

    name: str
    title: str
    spatial: bool = False
    crossed: bool = False
    options: tuple[str, ...] = ()


def _table(*functions: Function) -> dict[str, Function]:
    return {function.name: function for function in functions}


#: what arithmetic within a formula may call: one column in, one column out
TRANSFORMATIONS = _table(
    Function("I"),
    Function("log"),
    Function("exp"),
    Function("sqrt"),
    Function("center"),
    Function("scale"),
)

#: what may stand as a factor of a term besides: several columns out
BASES = _table(
    Function("C", 1, 2, rest="contrast"),
    Function("poly", 1, 2, ("degree",)),
    Function("bs", 1, 2, ("df", "degree", "lower_bound", "upper_bound")),
    Function("cr", 1, 2, ("df", "lower_bound", "upper_bound", "constraints")),
)

#: a column by a name in quotes, as patsy writes it
QUOTE = _table(Function("Q", first="constant"))

#: what may stand after `|` instead of a grouping factor: one with a covariance for every arm
GROUPINGS = _table(Function("gr", keywords=("by",), first="groups", rest="groups", values="groups"))

#: what may stand second in C(…)
CONTRASTS = _table(
    Function("Treatment", 0, 1, ("reference",), first="constant"),
    Function("Sum", 0, 0, first="constant"),
    Function("Helmert", 0, 0, first="constant"),
)

STRUCTURES = {
    structure.name: structure
    for structure in (
        Structure("us", "unstructured"),
        Structure("toep", "Toeplitz", options=("bands",)),
        Structure("toeph", "heterogeneous Toeplitz", options=("bands",)),
        Structure("ar1", "first-order autoregressive"),
        Structure("ar1h", "heterogeneous first-order autoregressive"),
        Structure("cs", "compound symmetry"),
        Structure("csh", "heterogeneous compound symmetry"),
        Structure("ad", "ante-dependence"),
        Structure("adh", "heterogeneous ante-dependence"),
        Structure("diag", "independence with one variance per visit"),
        Structure("id", "independence with one variance"),
        Structure("fa", "factor-analytic", options=("factors",)),
        Structure("us_cs", "unstructured by compound symmetry", crossed=True),
        Structure("us_ar1", "unstructured by autoregressive", crossed=True),
        Structure("sp_exp", "spatial exponential", spatial=True),
        Structure("sp_gau", "spatial Gaussian", spatial=True),
        Structure("sp_pow", "spatial power", spatial=True),
    )
}

#: the structures as the parser calls them: covariates before `|`, subjects after
COVARIANCES = _table(
    *(
        Function(name, 1, 8, structure.options, first="covariance", rest="covariance")
        for name, structure in STRUCTURES.items()
    )
)

#: what a where-clause may call
WHERE_FUNCTIONS = _table(
    Function("missing", first="where"),
    Function("abs", first="where"),
    Function("upper", first="where"),
    Function("lower", first="where"),
    Function("trim", first="where"),
)

#: other programs' words for what this register names otherwise
OTHER_WORDS = {
    "un": "us",
    "unr": "us",
    "unstructured": "us",
    "corSymm": "us",
    "un1": "diag",
    "vc": "id",
    "simple": "id",
    "arh": "ar1h",
    "arh1": "ar1h",
    "ar": "ar1",
    "ante": "ad",
    "factor": "C",
    "ns": "cr",
    "ln": "log",
    "strip": "trim",
    "upcase": "upper",
    "lowcase": "lower",
    "contr": "Treatment",
    "nmiss": "missing",
    "isna": "missing",
}

#: why a function that is known is refused where it stands
MISPLACED = {
    **dict.fromkeys(
        CONTRASTS, "{0}(…) is a contrast: it stands second in C(…), as C(ARM, Treatment('PBO'))"
    ),
    **dict.fromkeys(
        COVARIANCES,
        "{0}(…) is a covariance term: it stands by itself in the sum, as + {0}(AVISIT | USUBJID)",
    ),
    **dict.fromkeys(GROUPINGS, "{0}(…) stands after '|', as (1 + YEARS | {0}(USUBJID, by=ARM))"),
    **dict.fromkeys(
        WHERE_FUNCTIONS, "{0}(…) is a function of where-clauses, not of a model formula"
    ),
    **dict.fromkeys(
        TRANSFORMATIONS | BASES, "{0}(…) is a function of model formulas and cannot stand here"
    ),
}
