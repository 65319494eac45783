"""CAMEL's curriculum (arXiv 2602.15677, section 2 of its page): five stages from seconds of signal to forecasts.

`recordings` is what is read, `autoencoder` stage 1, `lessons` the questions of stages 2 to 5, `fit` the loop that the language
stages share, `evaluate` their marks, `pipeline` the whole recipe, `study` the ablation table.
"""
