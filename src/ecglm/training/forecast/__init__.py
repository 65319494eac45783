"""Training of the forecaster, and what it is compared with."""
