"""Instruction sets on ECGs, as PULSE's ECGInstruct (arXiv 2410.19008): questions and answers of four families in four forms, and
dialogues, made from labels, measurements and reports.

seed: what is known of a recording. sources, tables: seeds of the data sets. drawn: their pictures. phrases: what a seed says,
in words. templates, wording.yaml: items by rule. even: which statements they ask about, so that words alone tell nothing. remote,
local, prompts.yaml: items by a language model. checks: what an item must hold, and the judge. near: near-duplicates. settings:
what decides a set, and its slots. build: all of these into one file, resumable. estimate: what it would cost. baseline: what
words alone tell. card: what is in it. `ecglm.corpus.instructions` is another thing: the question pools that the embedded
language model is trained on.
"""
