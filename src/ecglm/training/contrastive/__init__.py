"""Contrastive training of an ECG tower and a text tower (ECG-Chat, CoCa): pairs, recipe, loop, studies."""
