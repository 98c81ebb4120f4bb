"""Eight weeks of treatment in depression."""
