"""Figures of results: the only room that draws, and the only one that imports matplotlib."""
