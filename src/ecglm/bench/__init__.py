"""Benchmarks: a task (YAML) and a model in, results.json with controls and intervals out.

`task` says what is asked, `runner` asks it, `metrics` and `stats` score it, `report` and
`compare` print it. Nothing here imports torch; the model object brings that itself.
"""
