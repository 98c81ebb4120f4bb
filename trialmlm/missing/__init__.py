"""Missing values: single imputation, and the subjects who have none."""
