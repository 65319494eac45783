"""Few-shot question answering: methods, controls, shots, ways, leads, wordings, protocols, another data set (docs/fewshot.md)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ecglm.bench.study import Study, Table
from ecglm.bench.task import digest
from ecglm.corpus.attributes import Attribute, AttributeTable
from ecglm.corpus.episodes import AttributePool, EpisodeConfig, episodes, published
from ecglm.corpus.external import challenge_items, ludb_items
from ecglm.errors import UsageError
from ecglm.inference.adapt.space import ALL, FewShotSpace
from ecglm.knowledge.statements import BY_KEY
from ecglm.training.fewshot.asking import META_EPISODES, TASKS, Asking, cell, partly
from ecglm.training.fewshot.averaged import Averaged
from ecglm.training.fewshot.descriptions import LEAD_SETS, descriptions
from ecglm.training.fewshot.evaluate import Reply, replies
from ecglm.training.fewshot.linear_probe import LinearProbe
from ecglm.training.fewshot.method import CONDITIONS, Condition, FewShotData, Method
from ecglm.training.fewshot.protonet import ProtoNet
from ecglm.training.fewshot.recipe import FewShotRecipe, published_classes
from ecglm.training.fewshot.setup import FewShotSetup


def _averaged(_: FewShotData) -> Method:
    return Averaged()


def run(
    seed: int, draws: int, progress: bool, count: int = 600, folder: str = "runs/fewshot", examples: str = "runs/default"
) -> Study:
    """PTB-XL, split by patient and attribute; then LUDB. count: episodes per cell. Encoders of the splits are trained when they
    are not in `folder`: 4 minutes each."""
    from rich.progress import Progress

    setup = FewShotSetup(Path(folder), Path(examples), progress=progress)
    this = Asking(setup, count, seed, draws, _tokenizer(), progress)
    made: list[Callable[[Asking], Table]] = [_methods, _shots, _curve, _settings, _protocols, _elsewhere, _tokens]
    tables = []
    with Progress(disable=not progress) as bar:
        task = bar.add_task("few-shot", total=len(made))
        for make in made:
            tables.append(make(this))
            bar.advance(task)
    split = setup.splits[0]
    notes = (
        f"{len(setup.table.attributes)} attributes, in five groups of eight that are held out in turn; {len(split.train_rows)} "
        f"recordings to meta-train, {len(split.test_rows)} of other patients to meta-test; {count} episodes per cell. Attributes "
        "close to a held-out one train neither encoder nor method. Strict accuracy in %, 95 % intervals over attributes "
        "(patients and episodes: results.json).",
        "averaged is the method that ships (`ecglm adapt`). The question alone tells nothing (text-only is at chance), "
        "except where it names the group of findings and in the published protocol: read those beside their text-only figure.",
        "The published figures (5-way 5-shot, LLaMA-3.1-8B: verify 84.6, choose 77.3, query 69.6) are by token accuracy, on all "
        "of PTB-XL, with classes drawn so that the question alone often tells the answer: read them beside the text-only row.")
    data = digest([setup.table.keys, [s.test for s in setup.splits], setup.table.patient_N.tolist()])
    n_patients = len(set(setup.table.patient_N.tolist()))
    return Study(tables, len(setup.table), n_patients, data, notes, this.values)


def _tokenizer() -> Callable[[str], list[int]] | None:
    """Of the embedded language model, for the published score."""
    from transformers import AutoTokenizer

    from ecglm.errors import CheckpointError
    from ecglm.models import base

    try:
        tokenizer = AutoTokenizer.from_pretrained(base.resolve("smollm2-135m"))
    except CheckpointError:
        return None
    return lambda text: list(tokenizer.encode(" " + text, add_special_tokens=False))


def _methods(this: Asking) -> Table:
    """Methods and controls, 5-shot, 12 leads."""
    splits = this.setup.splits
    held = [this.setup.data(split) for split in splits]
    seen = [this.setup.data(None)] * len(splits)
    width = held[0].emb_NE.shape[1]
    rows: list[tuple[str, Callable[[FewShotData], Method], Sequence[FewShotData], Condition]] = [
        ("averaged", _averaged, held, condition) for condition in CONDITIONS]
    rows += [("linear-probe, label-free values", lambda _: LinearProbe(everything=True), held, "full"),
             ("linear-probe, encoder", lambda _: LinearProbe(), held, "full"),
             ("protonet, encoder", lambda _: ProtoNet(width), held, "full"),
             ("linear-probe, encoder that has seen all classes", lambda _: LinearProbe(), seen, "full")]
    out = [["chance", *("20.0" if t.startswith("query") else "33.3" if t == "choose-none" else "50.0" for t in TASKS)]]
    for name, make, datas, condition in rows:
        shown = name if condition == "full" else f"{name}, {condition}"
        out.append([shown, *(cell(this.ask(name, make, datas, EpisodeConfig(task), condition)) for task in TASKS)])
    return Table("Balanced, 5-shot, 12 leads: methods and controls", ("method", *TASKS.values()), out)


def _light(this: Asking, leads: str = "12 leads") -> list[FewShotData]:
    """Data without the encoder, the same for every split."""
    return [this.setup.data(None, leads, encoder="none")] * len(this.setup.splits)


def _shots(this: Asking) -> Table:
    """Learning curve."""
    datas, rows = _light(this), []
    for shots in (1, 2, 3, 5, 10):
        rows.append([str(shots), *(
            partly(this.ask(f"averaged, {shots} shots", _averaged, datas, EpisodeConfig(t, shots=shots)), this.count)
            for t in TASKS)])
    return Table("averaged: examples per answer", ("shots", *TASKS.values()), rows)


def _curve(this: Asking) -> Table:
    """What more classes and recordings to meta-train on are worth: a prototypical network on label-free values."""
    space = _light(this)[0]
    data = replace(space, emb_NE=space.sides[ALL])
    config, rows = EpisodeConfig("verify"), []
    rng = np.random.default_rng(this.seed)
    for name, share_classes, share_rows in (
            ("none", 0.0, 0.0), ("an eighth of the attributes", 0.125, 1.0), ("a quarter", 0.25, 1.0), ("half", 0.5, 1.0),
            ("all attributes, an eighth of the recordings", 1.0, 0.125), ("a quarter", 1.0, 0.25), ("half", 1.0, 0.5),
            ("all attributes, all recordings", 1.0, 1.0)):
        answers: list[Reply] = []
        classes = recordings = 0
        for number, split in enumerate(this.setup.splits):
            method = ProtoNet(data.emb_NE.shape[1], seed=this.seed)
            keys = tuple(rng.permutation(split.train)[:round(share_classes * len(split.train))])
            some = rng.permutation(split.train_rows)[:round(share_rows * len(split.train_rows))]
            classes, recordings = classes + len(keys), recordings + len(some)
            if keys:
                part = replace(split, train=keys, train_rows=some)
                method.meta_train(this.balanced(part, number, config, META_EPISODES), data, lambda _, __: None)
            shown = this.balanced(split, number, config)
            answers += [replace(reply, episode=reply.episode + number * this.count)
                        for reply in replies(method, data, shown, this.setup.table.patient_N, "full")]
        parts = len(this.setup.splits)
        rows.append([name, f"{classes / parts:.0f}", f"{recordings / parts:.0f}",
                     cell(this.score(f"curve | {name} | {classes} | {recordings}", answers))])
    return Table("Learning curve of meta-training: protonet on label-free values, verify, 5-shot",
                 ("meta-trained on", "attributes", "recordings", TASKS["verify"]), rows)


def _settings(this: Asking) -> Table:
    """Leads, wording, ways, and attributes of all kinds in an episode."""
    rows = []
    for leads in LEAD_SETS:
        if leads != "12 leads":
            rows.append([leads, *(cell(this.ask(f"averaged, {leads}", _averaged, _light(this, leads), EpisodeConfig(t)))
                                  for t in TASKS)])
    datas = _light(this)
    rows.append(["another wording in the query", *(cell(this.ask("averaged, other wording", _averaged, datas,
                                                                 EpisodeConfig(t, wording="different"))) for t in TASKS)])
    rows.append(["2-way", *(cell(this.ask("averaged, 2-way", _averaged, datas, EpisodeConfig(t, ways=2)))
                            if t.startswith("query") else "" for t in TASKS)])
    part = np.random.default_rng(this.seed).permutation(len(this.setup.table.keys)) % 5
    mixed = [replace(split, test=tuple(k for k, p in zip(this.setup.table.keys, part, strict=True) if p == number), train=())
             for number, split in enumerate(this.setup.splits)]
    rows.append(["attributes held out at random", *(cell(this.ask("averaged, random groups", _averaged, datas, EpisodeConfig(t),
                                                                  splits=mixed)) for t in TASKS)])
    return Table("averaged, 5-shot: other settings", ("setting", *TASKS.values()), rows)


def _protocols(this: Asking) -> Table:
    """Classes drawn as published, beside what the question alone tells; protonet is meta-trained on the other classes."""
    table, split, rows = this.setup.table, this.setup.splits[0], []
    data = this.setup.data(None, encoder="label-free")
    for task in ("verify", "choose", "query"):
        config = EpisodeConfig(task, "published")
        train, test = published_classes(FewShotRecipe(), this.setup, split, config)
        shown = list(episodes(published(test, config), table.patient_N, config, this.count, this.seed))
        trained = ProtoNet(data.emb_NE.shape[1], seed=this.seed)
        trained.meta_train(episodes(published(train, config), table.patient_N, config, META_EPISODES, this.seed + 1), data,
                           lambda _, __: None)
        methods: list[tuple[str, Method]] = [("averaged", Averaged()), ("linear-probe, label-free values", LinearProbe()),
                                             ("protonet, label-free values", trained)]
        for name, method in methods:
            found = [this.score(f"{name}, published | {task} | {condition}",
                                replies(method, data, shown, table.patient_N, condition)) for condition in CONDITIONS]
            rows.append([f"{task}, {len(test)} test classes", name, *map(cell, found)])
    return Table("Published protocol, 5-way 5-shot: strict, beside its controls", ("task", "method", *CONDITIONS), rows)


def _elsewhere(this: Asking) -> Table:
    """Other hospitals, other machines, millivolts; no label of them was learnt, but LUDB's waves taught the network that finds
    waves."""
    space = FewShotSpace.fit(descriptions(list(_ptbxl_keys()), "12 leads", this.setup.run, this.progress).rows(
        this.setup.splits[0].train_rows))
    rows = []
    for name, items in (("LUDB", ludb_items()), ("Challenge 2021", challenge_items())):
        keys = [item.record_key for item in items]
        sides = space(descriptions(keys, "12 leads", this.setup.run, this.progress))
        data = FewShotData(sides, space.baseline_S, np.zeros((len(keys), 1), np.float32), ("",) * len(keys)).with_blank()
        table = _external_table([item.meta["labels"] for item in items])
        pool = AttributePool(table, table.keys, np.arange(len(keys)))
        row = [f"{name}, {len(keys)} recordings, {len(table.keys)} attributes"]
        for task in TASKS:
            config = EpisodeConfig(task)
            try:
                shown = list(episodes(pool.balanced(config), table.patient_N, config, this.count, this.seed))
            except UsageError:  # five findings that so few people have without the others
                row.append("")
                continue
            answers = replies(Averaged(), data, shown, table.patient_N, "full")
            row.append(cell(this.score(f"averaged, {name} | {task} | full", answers)))
        rows.append(row)
    return Table("averaged, 5-shot, on other data sets", ("data", *TASKS.values()), rows)


def _tokens(this: Asking) -> Table:
    """Everything above by the published score."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for key, value in this.values.items():
        name, task, condition, *more = key.split(" | ")
        if value["tokens"] is not None and not more:
            found.setdefault((name, condition), {})[task] = f"{100 * value['tokens']:.1f}"
    rows = [[name, condition, *(by.get(task, "") for task in TASKS)] for (name, condition), by in found.items()]
    return Table("The same by the published token accuracy", ("setting", "condition", *TASKS.values()), rows)


def _ptbxl_keys() -> Iterator[str]:
    from ecglm.corpus import ptbxl

    return (str(ecg_id) for ecg_id in ptbxl.load().ecg_id)


def _external_table(labels: Sequence[dict[str, dict[str, int]]], minimum: int = 10) -> AttributeTable:
    """Statements with enough recordings; one recording per person."""
    keys = [f"{group}:{code}" for group, codes in labels[0].items() for code in codes]
    value = np.array([[row[key.split(":")[0]][key.split(":")[1]] for key in keys] for row in labels], np.int8)
    kept = [i for i in range(len(keys)) if min(value[:, i].sum(), (1 - value[:, i]).sum()) >= minimum]
    named = tuple(Attribute(keys[i], BY_KEY[keys[i]].name, BY_KEY[keys[i]].group) for i in kept)
    return AttributeTable(named, value[:, kept], np.arange(len(labels)))
