"""A model's text in its parts, and the fixed effects as patsy reads them."""

from __future__ import annotations

import patsy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialmlm.errors import ExpressionError
from trialmlm.expressions.nodes import Binary, Name, Number, names
from trialmlm.formula.grammar import CovarianceTerm, read_formula


def patsy_terms(text: str) -> list[str]:
    model = read_formula(text)
    described = patsy.ModelDesc.from_formula(f"{model.response_text} ~ {model.fixed_text}")
    return [term.name() for term in described.rhs_termlist]


def test_fixed_effects_and_covariance_are_told_apart() -> None:
    model = read_formula("FEV1 ~ RACE + SEX + ARMCD * AVISIT + us(AVISIT | USUBJID)")
    assert model.response == Name("FEV1")
    assert model.fixed_text == "RACE + SEX + ARMCD * AVISIT"
    assert model.covariance == (CovarianceTerm("us", ("AVISIT",), None, "USUBJID", 37, 57),)
    assert model.random == ()
    assert model.fixed_variables == {"RACE", "SEX", "ARMCD", "AVISIT"}
    assert model.variables == {"FEV1", "RACE", "SEX", "ARMCD", "AVISIT", "USUBJID"}


def test_a_covariance_may_differ_by_group() -> None:
    (term,) = read_formula("y ~ us(AVISIT | ARMCD / USUBJID)").covariance
    assert (term.visit, term.group, term.subject) == (("AVISIT",), "ARMCD", "USUBJID")
    assert term.variables == {"AVISIT", "ARMCD", "USUBJID"}


def test_a_spatial_covariance_takes_coordinates() -> None:
    (term,) = read_formula("y ~ x + sp_exp(TIME, DEPTH | USUBJID)").covariance
    assert (term.structure, term.visit) == ("sp_exp", ("TIME", "DEPTH"))


def test_random_effects_stand_in_parentheses() -> None:
    model = read_formula("y ~ x + (1 + YEARS | USUBJID) + (0 + x || g) + (1 | a/b/c)")
    slope, apart, nested = model.random
    assert model.fixed == Name("x")
    assert (slope.text, slope.terms_text) == ("(1 + YEARS | USUBJID)", "1 + YEARS")
    assert slope.terms == Binary("+", Number(1), Name("YEARS"))
    assert (slope.groups, slope.correlated) == (("USUBJID",), True)
    assert (apart.terms_text, apart.correlated) == ("0 + x", False)
    assert nested.groups == ("a", "b", "c")
    assert model.variables == {"y", "x", "YEARS", "USUBJID", "g", "a", "b", "c"}


@pytest.mark.parametrize(
    ("written", "factors", "by"),
    [
        ("a/b", (("a",), ("a", "b")), None),
        ("a:b", (("a", "b"),), None),
        ("a/b:c", (("a",), ("a", "b", "c")), None),
        ("a/(b/c)", (("a",), ("a", "b"), ("a", "b", "c")), None),
        ("gr(a, by=ARM)", (("a",),), "ARM"),
        ("gr(a/b, by=ARM)", (("a",), ("a", "b")), "ARM"),
    ],
)
def test_grouping_factors_are_columns_and_their_combinations(written, factors, by):
    (term,) = read_formula(f"y ~ x + (1 | {written})").random
    assert (term.factors, term.by) == (factors, by)
    assert term.variables == {name for columns in factors for name in columns} | (
        {by} if by else set()
    )


def test_a_random_slope_and_an_unstructured_residual_stand_together() -> None:
    model = read_formula("FVC ~ ARM * YEARS + (0 + YEARS | USUBJID) + us(AVISIT | USUBJID)")
    assert (len(model.random), len(model.covariance)) == (1, 1)
    assert model.fixed_text == "ARM * YEARS"


@pytest.mark.parametrize(
    ("text", "fixed"),
    [
        ("y ~ us(V | S)", "1"),
        ("y ~ (1 | S)", "1"),
        ("y ~ us(V | S) - 1", "-1"),
        ("y ~ us(V | S) - 1 + x", "-1 + x"),
        ("y ~ 0 + x", "0 + x"),
        ("y ~ (a + (b + us(V | S)))", "a + b"),
        ("y ~ + us(V | S) + a", "a"),
        ("y ~ (a + b + c)^2 - a:b", "(a + b + c)**2 - a:b"),
        ("y ~ a*(b - c)", "a * (b - c)"),
        ("y ~ a - (b - c)", "a - (b - c)"),
        ("y ~ I(a - (b - c)) + I(a/(b*c))", "I(a - (b - c)) + I(a / (b * c))"),
        ("y ~ I(X^2) + I(2.50*X)", "I(X**2) + I(2.5 * X)"),
        ("y ~ `Treatment group`:x", 'Q("Treatment group"):x'),
        ("y ~ log + `lambda` + `print`", 'Q("log") + Q("lambda") + Q("print")'),
        ("y ~ `Größe` + `a.b` + `2x`", 'Q("Größe") + Q("a.b") + Q("2x")'),
        ("""y ~ `say "a\\b"`""", r'Q("say \"a\\b\"")'),
        ("y ~ C(x, Treatment(reference='A'))", 'C(x, Treatment(reference="A"))'),
        ("y ~ C(x, Treatment(-1)) + C(z, Sum())", "C(x, Treatment(-1)) + C(z, Sum)"),
        ("y ~ bs(AGE, df=4, lower_bound=-1.5)", "bs(AGE, df=4, lower_bound=-1.5)"),
    ],
)
def test_the_fixed_effects_have_one_spelling(text: str, fixed: str) -> None:
    model = read_formula(text)
    assert model.fixed_text == fixed
    assert read_formula(f"~ {fixed}").fixed == model.fixed


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        (
            "FEV1 ~ RACE + SEX + ARMCD * AVISIT",
            ["Intercept", "RACE", "SEX", "ARMCD", "AVISIT", "ARMCD:AVISIT"],
        ),
        (
            "log(AVAL) ~ C(ARM, Treatment('PBO')) * BASE + I(BASE**2) + bs(AGE, df=4) - 1",
            [
                'C(ARM, Treatment("PBO"))',
                "BASE",
                'C(ARM, Treatment("PBO")):BASE',
                "I(BASE ** 2)",
                "bs(AGE, df=4)",
            ],
        ),
        ("y ~ (a + b + c)^2 - a:b", ["Intercept", "a", "b", "c", "a:c", "b:c"]),
        ("y ~ a/b + 0", ["a", "a:b"]),
        ("y ~ a + -1", ["Intercept", "a"]),
        ("y ~ -1 + a*b - a:b", ["a", "b"]),
        ('y ~ `a "b" \\ c`:x', ["Intercept", r'Q("a \"b\" \\ c"):x']),
        ("y ~ I(`a b` > 65)", ["Intercept", 'I(Q("a b") > 65)']),
    ],
)
def test_patsy_reads_the_same_terms(text: str, terms: list[str]) -> None:
    assert patsy_terms(text) == terms


def test_the_response_may_be_transformed_or_absent() -> None:
    assert read_formula("log(AVAL + 1) ~ x").response_text == "log(AVAL + 1)"
    assert read_formula("`Forced vital` ~ x").response_text == 'Q("Forced vital")'
    alone = read_formula("~ x")
    assert (alone.response, alone.response_text, alone.variables) == (None, "", {"x"})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("y ~ x | id", "'|' stands only within parentheses: a random effect is written (1 |"),
        ("y ~ x + 1 || id", "'|' stands only within parentheses"),
        ("y ~ (1 | a | b)", "'|' stands only within parentheses"),
        ("y ~ log(x | z)", "'|' stands only within parentheses"),
        ("y ~ usx(AVISIT | USUBJID)", "'usx' is not allowed in a model formula; did you mean us?"),
        ("y ~ un(AVISIT | USUBJID)", "did you mean us?"),
        ("y ~ VC(AVISIT | USUBJID)", "did you mean id?"),
        ("y ~ us(AVISIT)", "names its visit and its subject: us(AVISIT | USUBJID)"),
        ("y ~ us(AVISIT || USUBJID)", "names its visit and its subject"),
        ("y ~ us(a, b | S)", "us takes one visit, 2 are given"),
        ("y ~ us(a | b/c/d)", "one group at most"),
        ("y ~ us(a:b | S)", "not interactions"),
        ("y ~ us(1 | S)", "stands where a column is expected"),
        ("y ~ a - us(V | S)", "a covariance term cannot be taken away"),
        ("y ~ -us(V | S)", "a covariance term cannot be taken away"),
        ("y ~ a - (b + (1 | g))", "a random-effects term cannot be taken away"),
        ("y ~ a:us(V | S)", "not within an interaction"),
        ("y ~ a * (b + us(V | S))", "not within an interaction"),
        ("y ~ (1 | g):x", "not within an interaction"),
        ("y ~ us(V | S) + cs(V | S)", "only one residual covariance"),
        ("y ~ (us(V | S) | g)", "cannot stand within a random-effects term"),
        ("y ~ ((1 | h) + x | g)", "cannot stand within a random-effects term"),
        ("y ~ log(us(V | S))", "us(…) is a covariance term: it stands by itself"),
        ("y ~ (1 | (a/b):c)", "combinations of columns"),
        ("y ~ (1 | gr(a))", "by= names the column that groups covariances"),
        ("y ~ (1 | gr(a, b))", "takes 1 argument"),
        ("y ~ us(V | a:S)", "a column is expected here"),
        ("y ~ us(V | gr(S, by=a))", "a column is expected here"),
        ("y ~ (1 | a + b)", "'+' stands where ')' is expected"),
        ("y ~ (1 | 2)", "stands where a column is expected"),
        ("y ~ .", "all columns"),
        ("y ~ . - x", "all columns"),
        ("y ~ a %in% b", "%in%"),
        ("a + b", "there is no '~'"),
        ("y ~ a ~ b", "the response is one column"),
        ("y ~ (a ~ b)", "a second '~'"),
        ("y ~", "the text ends"),
        ("y - z ~ x", "arithmetic stands within I(…)"),
        ("C(y) ~ x", "the response is one column"),
        ("us(V | S) ~ x", "the response is one column"),
        ("1 ~ x", "the response is one column"),
        ("y ~ x + 3", "0 or 1 (the intercept)"),
        ("y ~ 2*x", "arithmetic stands within I(…)"),
        ("y ~ x/100", "arithmetic stands within I(…)"),
        ("y ~ a * -b", "arithmetic stands within I(…)"),
        ("y ~ x == 2", "a comparison stands within I(…)"),
        ("y ~ I(a:b)", "an interaction ':' cannot stand within a function"),
        ("y ~ Treatment('PBO')", "it stands second in C(…)"),
        ("y ~ C(ARM, Tretment('PBO'))", "did you mean Treatment?"),
        ("y ~ C(ARM, ARM)", "not allowed in a contrast"),
        ("y ~ C(ARM, Sum, Sum)", "C(…) takes 1 to 2 arguments; 3 given"),
        ("y ~ log(x, 2)", "log(…) takes 1 argument; 2 given"),
        ("y ~ log(2)", "names no column"),
        ("y ~ Log(x)", "did you mean log?"),
        ("y ~ missing(x)", "a function of where-clauses"),
        ("y ~ bs(x, knots=3)", "bs(…) has no keyword knots="),
        ("y ~ bs(x, df=4, df=5)", "df= stands twice"),
        ("y ~ bs(x, 4, df=5)", "df= stands twice"),
        ("y ~ C(x, Treatment('A', reference='B'))", "reference= stands twice"),
        ("y ~ bs(df=4, x)", "an argument stands after a keyword"),
        ("y ~ bs(x,)", "an argument is expected after ','"),
    ],
)
def test_a_model_that_is_refused_says_why(text: str, said: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        read_formula(text)
    assert said in refused.value.message


@given(st.text())
def test_reading_any_text_raises_nothing_but_an_expression_error(text: str) -> None:
    for formula in (text, f"y ~ {text}"):
        try:
            model = read_formula(formula)
        except ExpressionError:
            continue
        assert names(model.fixed) <= model.variables


COLUMNS = st.sampled_from(["a", "b", "log", "`a b`", '`x"y`', "`class`", "`\\`", "`é`"])
NUMBERS = st.sampled_from(["2", "0.5", "1e-8", "-3", "1e300"])


def _arithmetic(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    signs = st.sampled_from(["+", "-", "*", "/"])
    return st.one_of(
        st.tuples(inner, signs, st.one_of(inner, NUMBERS)).map(" ".join),
        inner.map("({})".format),
        inner.map("-{}".format),
        inner.map("({})**2".format),
        inner.map("exp({})".format),
    )


ARITHMETIC = st.recursive(COLUMNS, _arithmetic, max_leaves=6)
FACTORS = st.one_of(
    COLUMNS,
    ARITHMETIC.map("I({})".format),
    COLUMNS.map("C({}, Treatment('it\\'s \\\\'))".format),
    COLUMNS.map("C({}, Sum)".format),
    ARITHMETIC.map("bs({}, df=4)".format),
)


def _terms(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    signs = st.sampled_from(["+", "-", "*", "/", ":"])
    return st.one_of(
        st.tuples(inner, signs, inner).map(" ".join),
        inner.map("({})".format),
        inner.map("({})^2".format),
        inner.map("{} - 1".format),
        inner.map("{} + us(V | S)".format),
        inner.map("{} + (1 + a || g/h)".format),
    )


@given(st.recursive(FACTORS, _terms, max_leaves=8))
def test_the_spelling_of_the_fixed_effects_reads_to_the_same_tree(terms: str) -> None:
    try:
        model = read_formula(f"y ~ {terms}")
    except ExpressionError:
        return
    again = read_formula(f"y ~ {model.fixed_text}")
    assert again.fixed == model.fixed
    assert again.fixed_text == model.fixed_text


@given(st.recursive(FACTORS, _terms, max_leaves=5))
def test_patsy_reads_every_spelling(terms: str) -> None:
    try:
        model = read_formula(f"y ~ {terms}")
    except ExpressionError:
        return
    described = patsy.ModelDesc.from_formula(f"y ~ {model.fixed_text}")
    assert described.lhs_termlist[0].name() == "y"
