"""What a forecaster must beat, in the same run on the same windows.

`method` is the one interface, `features` the numbers of a window, `tabular` logistic regression and boosting on them, `cnn` a
network on the raw signal, `plain` persistence and chance.
"""
