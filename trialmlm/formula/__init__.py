"""The text of a model, its terms, and their design."""
