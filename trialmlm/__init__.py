"""Longitudinal analysis of clinical trials."""

from trialmlm._version import __version__

__all__ = ["__version__"]
