"""The Gaussian linear mixed model: data summed up once, REML and ML, their optimum.

Arrays only; letters are the papers'. docs/engine.md gives the mathematics.
"""
