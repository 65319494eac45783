"""ECG encoders: prepared leads and rhythm features in, tokens, embedding and finding logits out."""
