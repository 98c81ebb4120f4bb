"""The safe reader of model formulas and where-clauses.

The texts come from files other people write. They are read into a tree by a parser of our own and
never evaluated as Python; what is not in the register of functions and operators is refused by
name, with the place marked.
"""

from trialmlm.expressions.dialects import FORMULA, WHERE, Dialect
from trialmlm.expressions.parser import read_expression
from trialmlm.expressions.where import Where, read_where

__all__ = ["FORMULA", "WHERE", "Dialect", "Where", "read_expression", "read_where"]
