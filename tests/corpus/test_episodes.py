"""Episodes and splits: what the protocol promises, and that a leak is noticed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ecglm.corpus.attributes import AttributeTable
from ecglm.corpus.episodes import (
    AttributePool,
    EpisodeConfig,
    check_episode,
    episodes,
    published,
    split_classes,
)
from ecglm.corpus.splits import attribute_splits, check_classes, check_split
from ecglm.errors import UsageError
from tests.fewshot_world import world

TASKS = ("verify", "choose", "choose-none", "query", "query-named")


def drawn(config, count=20, seed=0):
    table, _ = world()
    pool = AttributePool(table, table.keys, np.arange(len(table)))
    return table, list(episodes(pool.balanced(config), table.patient_N, config, count, seed))


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize(("shots", "queries", "ways"), [(5, 5, 5), (1, 3, 2), (2, 1, 3)])
def test_an_episode_has_its_ways_shots_and_queries_and_no_patient_twice(task, shots, queries, ways):
    config = EpisodeConfig(task, shots=shots, queries=queries, ways=ways)
    table, found = drawn(config)
    for episode in found:
        count = {"verify": 2, "choose": 2, "choose-none": 3}.get(task, ways)
        assert len(set(episode.answers)) == count
        assert len(episode.support) == count * shots
        assert 0 < len(episode.query) <= count * queries
        patients = [table.patient_N[i.row] for i in (*episode.support, *episode.query)]
        assert len(set(patients)) == len(patients)
        assert {i.answer for i in episode.query} <= {i.answer for i in episode.support}


@pytest.mark.parametrize("task", ["verify", "choose", "query"])
def test_answers_are_what_the_recordings_have(task):
    table, found = drawn(EpisodeConfig(task))
    by_name = {a.name: a.key for a in table.attributes}
    for episode in found:
        for item in (*episode.support, *episode.query):
            key, value = (item.attribute, int(item.answer == "yes")) if task == "verify" else (by_name[item.answer], 1)
            assert table.column(key)[item.row] == value


@pytest.mark.parametrize("wording", ["same", "different"])
@pytest.mark.parametrize("task", TASKS)
def test_the_words_of_a_balanced_question_tell_nothing_of_its_answer(task, wording):
    _, found = drawn(EpisodeConfig(task, wording=wording))
    for episode in found:
        for items in (episode.support, episode.query):
            asked = {}
            for item in items:
                asked.setdefault(item.answer, set()).add(item.question)
            if task != "query-named":  # which names the group, and so may tell
                assert len({frozenset(questions) for questions in asked.values()}) == 1
        if wording == "different":
            assert not {i.question for i in episode.support} & {i.question for i in episode.query}


def test_episodes_depend_on_seed_and_number_alone():
    config = EpisodeConfig("choose")
    _, first = drawn(config, 10)
    _, again = drawn(config, 6)
    _, other = drawn(config, 6, seed=1)
    assert first[:6] == again
    assert first[:6] != other


def test_published_classes_are_drawn_without_replacement_and_split():
    table, _ = world(400)
    pool = AttributePool(table, table.keys, np.arange(len(table)))
    for task in ("verify", "choose", "query"):
        classes = pool.classes(task, 11)
        train, test = split_classes(classes)
        assert len(train) + len(test) == len(classes)
        assert not {id(g) for g in train} & {id(g) for g in test}
        config = EpisodeConfig(task, "published", ways=min(5, len(test)))
        if len(test) >= 2:
            for episode in episodes(published(test, config), table.patient_N, config, 10, 0):
                assert len(episode.support) == config.ways * config.shots


def test_leaks_of_the_published_protocol_are_noticed():
    table, _ = world(400)
    half = np.flatnonzero(table.patient_N % 2 == 0), np.flatnonzero(table.patient_N % 2 == 1)
    sides = [AttributePool(table, table.keys, rows).classes("verify", 5) for rows in half]
    train, test = sides[0][::2], sides[1][1::2]
    check_classes(train, test, table.patient_N)
    with pytest.raises(UsageError, match="is in meta-train and in meta-test; split by class"):
        check_classes(train, [*test, sides[1][0]], table.patient_N)
    with pytest.raises(UsageError, match="patients"):
        check_classes(train, sides[0][1::2], table.patient_N)


def test_choose_classes_hold_both_and_none():
    table, _ = world(600)
    answers = {groups[0].answer for groups in AttributePool(table, table.keys, np.arange(len(table))).classes("choose", 11)}
    assert {"both", "none"} <= answers


def test_too_few_recordings_are_said():
    table, _ = world()
    pool = AttributePool(table, table.keys, np.arange(30))
    with pytest.raises(UsageError, match="take fewer"):
        pool.balanced(EpisodeConfig("choose-none", shots=20))


def test_an_episode_that_shares_a_patient_is_refused():
    table, found = drawn(EpisodeConfig("verify"), 1)
    bad = replace(found[0], query=(*found[0].query, found[0].support[0]))
    with pytest.raises(UsageError, match="in support and query"):
        check_episode(bad, table.patient_N)


def test_splits_keep_patients_and_attributes_apart():
    table, _ = world()
    splits = attribute_splits(table, tries=50)
    assert sorted(key for split in splits for key in split.test) == sorted(table.keys)
    for split in splits:
        assert check_split(table, split, AttributeTable((), np.zeros((len(table), 0), np.int8), table.patient_N))


@pytest.mark.parametrize("leak", ["patient", "attribute", "near", "encoder"])
def test_every_leak_of_a_split_is_noticed(leak):
    table, _ = world()
    split = attribute_splits(table, tries=50)[0]
    taught = AttributeTable((), np.zeros((len(table), 0), np.int8), table.patient_N)
    if leak == "patient":
        other = int(split.test_rows[0])
        split = replace(split, train_rows=np.append(split.train_rows, other))
    elif leak == "attribute":
        split = replace(split, train=(*split.train, split.test[0]))
    else:
        same = table.column(split.test[0]).copy()
        same[:2] = 1 - same[:2]  # another name for nearly the same thing
        attribute = replace(table.attributes[0], key="form:alias")
        if leak == "near":
            table = AttributeTable((*table.attributes, attribute), np.column_stack([table.value_NA, same]), table.patient_N)
            split = replace(split, train=(*split.train, "form:alias"))
        else:
            taught = AttributeTable((attribute,), same[:, None], table.patient_N)
    with pytest.raises(UsageError):
        check_split(table, split, taught)
