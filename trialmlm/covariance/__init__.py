"""Covariance families: parameters θ -> Σ over the visits, and its derivatives."""
