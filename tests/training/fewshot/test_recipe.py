"""`ecglm fewshot run` end to end on a small world and a tiny language model: a table with controls, and nothing asked twice."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ecglm.config import load_config
from ecglm.corpus.episodes import EpisodeConfig
from ecglm.corpus.splits import attribute_splits
from ecglm.errors import ConfigError, EcglmError
from ecglm.training.fewshot.gradient import GradientConfig
from ecglm.training.fewshot.recipe import FewShotRecipe, Row, evaluate
from tests.fewshot_world import world
from tests.tiny import save_tiny_base

RECIPES = Path(__file__).parents[3] / "recipes"


class World:
    """As `FewShotSetup`."""

    def __init__(self) -> None:
        self.table, self._data = world(480)
        self.splits = attribute_splits(self.table, parts=2, tries=50)
        self.ecg_id_N = np.arange(len(self.table))

    def data(self, split, leads="12 leads", encoder="ours"):
        return self._data


@pytest.fixture
def recipe(tmp_path):
    gradient = GradientConfig(inner_steps=2, heads=4, outer="last", save_every=1)
    return FewShotRecipe(run=str(tmp_path / "run"), llm=str(save_tiny_base(tmp_path / "llm")), methods=("averaged", "fomaml"),
                         tasks=("verify",), conditions=("full", "text-only"), episode=EpisodeConfig(shots=2, queries=2), splits=2,
                         gradient=gradient, meta_episodes=2, test_episodes=12, draws=50)


@pytest.mark.filterwarnings("ignore:`past_key_values` is deprecated:FutureWarning")
def test_a_recipe_trains_tests_and_goes_on_where_it_stopped(recipe):
    told: list[tuple[str, str, int]] = []

    def tell(row: Row) -> None:
        told.append((row.method, row.condition, row.done))

    found = evaluate(recipe, tell, setup=World())
    by = {(row.method, row.condition): row for row in found.rows}
    assert set(by) == {("averaged", "full"), ("averaged", "text-only"), ("fomaml", "meta-training"), ("fomaml", "full"),
                       ("fomaml", "text-only")}
    assert by["averaged", "full"].accuracy > 0.55
    assert by["averaged", "text-only"].accuracy == 0.5
    saved = json.loads(found.path.read_text("utf8"))
    assert [row["n_episodes"] for row in saved["rows"] if "n_episodes" in row] == [12, 12, 12, 12]
    assert ("fomaml", "meta-training", 4) in told
    told.clear()
    again = evaluate(recipe, tell, setup=World())
    assert [row.accuracy for row in again.rows if row.score] == [row.accuracy for row in found.rows if row.score]
    assert not [t for t in told if t[1] == "meta-training"]
    changed = World()
    changed._data = replace(changed._data, emb_NE=-changed._data.emb_NE)  # as by another encoder: what was kept is of no use
    evaluate(recipe, tell, setup=changed)
    assert ("fomaml", "meta-training", 4) in told


def test_published_classes_are_split_between_meta_train_and_meta_test(recipe):
    published = replace(recipe, methods=("averaged",), tasks=("verify", "choose"), splits=1, meta_episodes=0,
                        episode=EpisodeConfig(protocol="published", ways=2, shots=3, queries=3))
    for row in evaluate(published, setup=World()).rows:
        assert row.score.chance == pytest.approx(0.5, abs=0.5)
        assert row.score.n_episodes == 12


@pytest.mark.parametrize("name", ["fewshot", "fsl_ecg_qa"])
def test_recipes_are_valid(name):
    found = load_config(FewShotRecipe, RECIPES / f"{name}.yaml")
    if name == "fsl_ecg_qa":  # Tang et al. 2025
        g, e = found.gradient, found.episode
        assert (g.inner_steps, g.inner_lr, g.meta_lr, g.n_tokens, g.dropout, g.outer) == (15, 0.05, 5e-4, 4, 0.5, "all")
        assert (e.ways, e.shots, e.queries, found.meta_episodes, found.test_episodes) == (5, 5, 5, 10000, 1000)


@pytest.mark.parametrize(("override", "message"), [
    ("methods=[fomamll]", "fomaml"), ("tasks=[verfy]", "verify"), ("leads=III", "12 leads"), ("splits=6", "1 to 5"),
    ("questions=official", "published"), ("gradient.inner_steps=0", "1 or more"), ("gradient.dropout=1", "less than 1"),
    ("methods=[]", "one at least"), ("test_episodes=0", "1 or more"), ("gradient.save_every=0", "1 or more"),
    ("encoder=none", "averaged"), ("episode.shots=0", "one shot"), ("gradient.outer=first", "all")])
def test_bad_recipes_are_said(override, message):
    with pytest.raises(ConfigError, match=message):
        load_config(FewShotRecipe, RECIPES / "fewshot.yaml", [override])


def test_in_context_is_refused_where_its_measurements_would_show_other_leads():
    with pytest.raises(ConfigError, match="12 leads"):
        load_config(FewShotRecipe, RECIPES / "fewshot.yaml", ["methods=[in-context]", "leads=II"])


@pytest.mark.parametrize(("change", "message"), [
    ({"encoder": "/no/such/folder"}, r"model\.safetensors: no such file; convert"),
    ({"llm": "no-such-model"}, "unknown base model")])
def test_absent_weights_are_said_before_any_work(recipe, change, message):
    with pytest.raises(EcglmError, match=message):
        evaluate(replace(recipe, **change, cache="/no/such/cache", examples="/no/such/examples"))


def test_heads_that_do_not_fit_the_language_model_are_said(recipe):
    odd = replace(recipe, methods=("fomaml",), gradient=replace(recipe.gradient, heads=7))
    with pytest.raises(EcglmError, match="heads do not divide"):
        evaluate(odd, setup=World())
