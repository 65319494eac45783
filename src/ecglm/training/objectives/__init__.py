"""Training objectives, one file each: a batch in, a loss out."""
