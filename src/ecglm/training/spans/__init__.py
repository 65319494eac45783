"""Training of `ecglm.signal.spans`: recordings with their rhythms in, trees out."""
