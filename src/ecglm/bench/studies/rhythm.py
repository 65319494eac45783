"""Names of rhythms (`ecglm.signal.rhythm_name`): labels of PTB-XL fold 9 and LUDB, and simulated records."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from ecglm.bench.stats import Bootstrap
from ecglm.bench.study import Study, Table
from ecglm.bench.task import BenchItem, digest
from ecglm.corpus.ecgqa import findings_items
from ecglm.corpus.external import bench_record, ludb_items
from ecglm.schema import Rhythm
from ecglm.signal.delineation import delineate
from ecglm.signal.rhythm_name import rhythm
from ecglm.signal.simulate import simulate
from ecglm.signal.wave_network import fold_weights

#: What the name must say for a label (any of these codes). A heart in sinus rhythm may be slow, fast or irregular besides.
CALLED: dict[str, tuple[tuple[str, ...], Callable[[str], bool]]] = {
    "sinus rhythm of any rate": (("SR", "SBRAD", "STACH", "SARRH"), lambda name: name.startswith("sinus")),
    "sinus tachycardia": (("STACH",), lambda name: name == "sinus tachycardia"),
    "sinus bradycardia": (("SBRAD",), lambda name: name == "sinus bradycardia"),
    "atrial fibrillation": (("AFIB",), lambda name: name == "atrial fibrillation"),
}
#: What must be said of a simulated condition, "..." standing for any words.
SIMULATED: dict[str, str] = {
    "normal": "sinus rhythm", "lbbb": "sinus rhythm", "sinus_bradycardia": "sinus bradycardia",
    "sinus_tachycardia": "sinus tachycardia", "sinus_arrhythmia": "sinus arrhythmia", "sinus_pause": "pause of ...",
    "atrial_fibrillation": "atrial fibrillation", "atrial_flutter_2": "atrial flutter", "atrial_flutter_4": "atrial flutter",
    "supraventricular_tachycardia": "supraventricular tachycardia", "junctional_rhythm": "regular rhythm without P waves",
    "idioventricular_rhythm": "regular rhythm without P waves", "ventricular_tachycardia": "wide-complex tachycardia",
    "bigeminy": "ventricular bigeminy", "trigeminy": "ventricular trigeminy", "premature_ventricular": "...ventricular ...",
    "premature_atrial": "... supraventricular premature ...", "av_block_1": "first-degree AV block",
    "av_block_2_1": "second-degree AV block, Mobitz I", "av_block_2_2": "second-degree AV block, Mobitz II",
    "av_block_2_to_1": "second-degree AV block, 2:1", "av_block_3": "third-degree AV block",
    "paced_ventricle": "ventricular paced rhythm",
}
#: Simulated records of each condition, of a seed that nothing was made with.
EACH, SEED = 25, 4711


def run(seed: int, draws: int, progress: bool) -> Study:
    """All of them."""
    from rich.progress import track

    weights = fold_weights()
    sets: dict[str, tuple[list[BenchItem], list[Rhythm]]] = {}
    for title, items in (("PTB-XL fold 9", findings_items()), ("LUDB", ludb_items())):
        said = []
        for item in track(items, title, disable=not progress):
            record = bench_record(item.record_key)
            network = weights[item.record_key.split("/")[-1].removesuffix(".hea")] if title == "LUDB" else None
            said.append(rhythm(record, delineate(record, network)))
        sets[title] = (items, said)
    made = [[_is(condition, rhythm(one.record)) for one in simulate(condition, EACH, seed=SEED)]
            for condition in track(list(SIMULATED), "Simulated", disable=not progress)]
    rows = [[condition, SIMULATED[condition], f"{sum(right)}/{EACH}"]
            for condition, right in zip(SIMULATED, made, strict=True)]
    tables = [_label_table(sets, draws, seed), Table("Simulated records", ("condition", "must be said", "right"), rows)]
    notes = ("Rules were set on PTB-XL folds 1-8 and simulated records of other seeds; simulated conduction also taught the "
             "network that finds the waves. LUDB's waves come from networks that never saw the record. Right: sensitivity; "
             "called so: how many of those that are called so bear the label. Paced LUDB records are left out.",)
    count = sum(len(items) for items, _ in sets.values())
    values = {title: [{"id": item.id, **said.to_dict()} for item, said in zip(*pair, strict=True)]
              for title, pair in sets.items()}
    return Study(tables, count, count, digest([[i.id, i.meta["labels"]] for items, _ in sets.values() for i in items]), notes,
                 {"said": values, "simulated": {c: sum(right) for c, right in zip(SIMULATED, made, strict=True)}})


def _is(condition: str, said: Rhythm) -> bool:
    wanted = re.escape(SIMULATED[condition]).replace(re.escape("..."), ".*")
    return any(re.fullmatch(wanted, part) for part in (said.name or "", *said.also))


def _label_table(sets: dict[str, tuple[list[BenchItem], list[Rhythm]]], draws: int, seed: int) -> Table:
    rows = []
    for title, (items, said) in sets.items():
        boot = Bootstrap([item.patient for item in items], draws, seed)
        for name, (codes, fits) in CALLED.items():
            truth = np.array([any(item.meta["labels"]["rhythm"].get(code) for code in codes) for item in items])
            called = np.array([one.name is not None and fits(one.name) for one in said])
            cells = []
            for of in (truth, called):
                sums = boot.sums(np.stack([truth & called, of], axis=1).astype(float))
                low, high = np.nanpercentile(100 * sums[:, 0] / np.maximum(sums[:, 1], 1), (2.5, 97.5))
                cells.append(f"{100 * (truth & called).sum() / max(1, of.sum()):.1f} [{low:.1f}, {high:.1f}]")
            rows.append([title, name, str(int(truth.sum())), *cells])
    return Table("Labelled recordings", ("data", "rhythm", "records", "right %", "called so, right %"), rows)
