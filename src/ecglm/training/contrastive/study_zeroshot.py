"""The task `zeroshot-ptbxl`: statements by prompts, a linear probe on the frozen space, and probes from few labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecglm.bench.metrics import auroc
from ecglm.bench.stats import Bootstrap, interval
from ecglm.bench.study import Study, Table
from ecglm.bench.task import digest
from ecglm.inference.retrieval.retriever import Retriever
from ecglm.knowledge.report_text import prompts, said
from ecglm.knowledge.statements import GROUPS, STATEMENTS
from ecglm.training.contrastive.fold import FloatArray, Fold, untrained

#: Labelled recordings per probe; the last row of the curve is all of them.
FEW = (25, 50, 100, 200, 400)
#: What a statement is held against.
NORMAL = ("normal ecg", "sinus rhythm. normal ecg.")
#: Draws of few labelled recordings.
REPEATS = 5


def run(fold: int, train_folds: list[int], run: str, seed: int, draws: int, progress: bool) -> Study:
    """fold: tested; train_folds: labels of the probes come from these; run: folder where recordings are described once."""
    retriever, where = Retriever.load(), Fold(fold, Path(run), progress)
    checked = where.check(retriever)
    test, train = where.data.rows((fold,)), where.data.rows(tuple(train_folds))
    truth, label = where.data.labels_NC[test], where.data.labels_NC[train]
    models = {"model": retriever.model, "random weights": untrained(retriever.model, seed)}
    emb = {name: (where.recordings(model, train), where.recordings(model, test)) for name, model in models.items()}
    raw = where.ecg.whole(train)[0].numpy(), where.ecg.whole(test)[0].numpy()
    unseen = [prompts(s.key) for s in STATEMENTS]
    seen = [(said(s.key), said(s.key, "de")) for s in STATEMENTS]
    random = Retriever(models["random weights"], "random")
    scores = {"three wordings never seen": _prompted(retriever, emb["model"][1], unseen),
              "one wording never seen": _prompted(retriever, emb["model"][1], [words[:1] for words in unseen]),
              "the words of training": _prompted(retriever, emb["model"][1], seen),
              "three wordings never seen, similarity alone": _prompted(retriever, emb["model"][1], unseen, contrast=False),
              "three wordings never seen, random weights": _prompted(random, emb["random weights"][1], unseen),
              "linear probe of the space": _probe(*emb["model"], label, seed),
              "linear probe, random weights": _probe(*emb["random weights"], label, seed),
              "linear probe of the measured values": _probe(*raw, label, seed)}
    boot = Bootstrap([str(p) for p in where.data.patient[test]], draws, seed)
    tables = [Table(f"Macro-AUROC on fold {fold}", ("scores from", *GROUPS),
                    [[name, *(_macro(truth, score, group, boot) for group in GROUPS)] for name, score in scores.items()]
                    + [["chance", *("0.500" for _ in GROUPS)]])]
    curve = []
    for few in FEW:
        shown = [_probe(emb["model"][0][part], emb["model"][1], label[part], seed) for part in _parts(len(train), few, seed)]
        of_raw = [_probe(raw[0][part], raw[1], label[part], seed) for part in _parts(len(train), few, seed)]
        curve.append([str(few), *(f"{_mean(truth, shown, g):.3f} / {_mean(truth, of_raw, g):.3f}" for g in GROUPS)])
    tables.append(Table(f"Few labelled recordings: probe of the space / of the measured values, mean of {REPEATS} draws",
                        ("recordings", *GROUPS), curve))
    notes = (f"{len(test)} recordings of fold {fold}. Statements with a positive and a negative recording there are averaged. "
             "Wordings \"never seen\" are in no sentence that labels were rendered in, but reports of the training folds say "
             "the statements, so this is no test on unseen findings. Scores are similarities less that to \"normal ecg\", unless "
             "said (chosen on fold 8). Probes: logistic regression per statement (C = 0.1), labels "
             f"of folds {train_folds[0]}-{train_folds[-1]}, in part the towers' own training recordings. A statement that a few "
             f"labels lack counts 0.500. No threshold is used. Intervals draw patients. Model {retriever.name}; {checked}.",)
    values = {name: {group: _point(truth, score, group) for group in GROUPS} for name, score in scores.items()}
    return Study(tables, len(test), boot.n_patients, digest([test.tolist(), truth.tolist()]), notes, values)


def _prompted(retriever: Retriever, ecg_NE: FloatArray, wordings: Sequence[Sequence[str]], contrast: bool = True) -> FloatArray:
    """score_NC: similarity to the mean of a statement's wordings; contrast: less that to a normal ECG, or for "normal" less the
    mean over all statements, as some recordings are close to every text (chosen on fold 8)."""
    score = ecg_NE @ retriever.prompted(wordings).T
    if not contrast:
        return score
    normal = [i for i, s in enumerate(STATEMENTS) if s.code == "NORM"]
    against = score - ecg_NE @ retriever.prompted([NORMAL]).T
    against[:, normal] = score[:, normal] - score.mean(1, keepdims=True)
    return np.asarray(against, np.float32)


def _probe(train_NE: FloatArray, test_ME: FloatArray, label_NC: NDArray[np.uint8], seed: int) -> FloatArray:
    """score_MC of one logistic regression per statement; 0 where the labels lack a class."""
    from sklearn.linear_model import LogisticRegression

    spread = train_NE.std(0).mean() + 1e-9
    score = np.zeros((len(test_ME), label_NC.shape[1]), np.float32)
    for column, label in enumerate(label_NC.T):
        if 0 < label.sum() < len(label):
            fitted = LogisticRegression(C=0.1, max_iter=300, random_state=seed).fit(train_NE / spread, label)
            score[:, column] = fitted.decision_function(test_ME / spread)
    return score


def _parts(count: int, few: int, seed: int) -> list[NDArray[np.int64]]:
    rng = np.random.default_rng(seed + few)
    return [rng.permutation(count)[:few] for _ in range(REPEATS)]


def _columns(truth_NC: NDArray[np.uint8], group: str) -> list[int]:
    return [i for i, s in enumerate(STATEMENTS) if s.group == group and 0 < truth_NC[:, i].sum() < len(truth_NC)]


def _point(truth_NC: NDArray[np.uint8], score_NC: FloatArray, group: str) -> float:
    return float(np.mean([auroc(truth_NC[:, i], score_NC[:, i]) for i in _columns(truth_NC, group)]))


def _mean(truth_NC: NDArray[np.uint8], scores: list[FloatArray], group: str) -> float:
    return float(np.mean([_point(truth_NC, score, group) for score in scores]))


def _macro(truth_NC: NDArray[np.uint8], score_NC: FloatArray, group: str, boot: Bootstrap) -> str:
    drawn = np.nanmean([boot.auroc_draws(truth_NC[:, i], score_NC[:, i]) for i in _columns(truth_NC, group)], axis=0)
    one = interval(_point(truth_NC, score_NC, group), drawn)
    return f"{one.value:.3f} [{one.low:.3f}, {one.high:.3f}]"
