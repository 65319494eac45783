"""Training: recipes to checkpoint folders."""
