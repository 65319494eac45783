"""Data sets to training and test items: labels, patient-safe splits, questions, instructions."""
