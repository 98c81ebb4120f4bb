"""FVC decline in idiopathic pulmonary fibrosis."""
