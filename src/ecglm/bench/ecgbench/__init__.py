"""ECGBench of PULSE (Liu et al. 2024, arXiv 2410.19008): nine sets of questions on ECG images, and how their answers are scored.

subsets: what the nine are, with the published figures. load: the published files, faults repaired. labels, choice, options:
the rules of scoring by text, `paper` as released and `strict`. multilabel: AUC, F1 and Hamming loss of label sets. judged:
reports and dialogues, by a judge model. subject: who answers. run: one subset, from files to tables. ptbxl: the protocol of
PTB-XL Super on recordings that are here. The released scripts are not copied; their rules are restated from what is
known of them.
"""
