"""Configurations: what a user writes is what they get, and a slip is named."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecglm.config import load_config, save, to_dict
from ecglm.errors import ConfigError
from ecglm.registry import Registry


@dataclass(frozen=True)
class Optimizer:
    lr: float = 3e-4
    betas: tuple[float, float] = (0.9, 0.999)
    name: Literal["adamw", "sgd"] = "adamw"


@dataclass(frozen=True)
class Recipe:
    name: str
    steps: int = 100
    optimizer: Optimizer = field(default_factory=Optimizer)
    widths: tuple[int, ...] = (32, 64)
    folder: Path | None = None
    stages: tuple[Optimizer, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)


def test_what_is_saved_loads_as_the_same(tmp_path: Path) -> None:
    recipe = Recipe("r", 7, Optimizer(lr=0.5), (1, 2, 3), Path("x/y"), (Optimizer(name="sgd"),), {"a": [1]})
    save(recipe, tmp_path / "deep" / "r.yaml")
    assert load_config(Recipe, tmp_path / "deep" / "r.yaml") == recipe
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["r.yaml"]


@given(steps=st.integers(), lr=st.floats(allow_nan=False, allow_infinity=False), widths=st.lists(st.integers()),
       name=st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])))
def test_to_dict_is_the_inverse_of_load(steps: int, lr: float, widths: list[int], name: str) -> None:
    recipe = Recipe(name, steps, Optimizer(lr=lr), tuple(widths))
    assert load_config(Recipe, to_dict(recipe)) == recipe


def test_overrides_reach_nested_keys_and_leave_the_source_alone() -> None:
    source: dict[str, Any] = {"name": "r", "optimizer": {"name": "sgd"}}
    recipe = load_config(Recipe, source, ["optimizer.lr=1e-3", "widths=[8, 16]", "steps=5", "folder=runs/a"])
    assert recipe.optimizer == Optimizer(lr=1e-3, name="sgd")
    assert (recipe.widths, recipe.steps, recipe.folder) == ((8, 16), 5, Path("runs/a"))
    assert source == {"name": "r", "optimizer": {"name": "sgd"}}


def test_an_integer_is_accepted_where_a_float_is_wanted() -> None:
    recipe = load_config(Recipe, {"name": "r", "optimizer": {"lr": 1, "betas": [0, 1]}})
    assert recipe.optimizer.lr == 1.0
    assert isinstance(recipe.optimizer.lr, float)
    assert recipe.optimizer.betas == (0.0, 1.0)


@pytest.mark.parametrize(("data", "overrides", "said"), [
    ({"name": "r", "stpes": 3}, [], ["'stpes'", "did you mean 'steps'?"]),
    ({"name": "r"}, ["optimizer.rl=3"], ["'optimizer.rl'", "'lr'"]),
    ({"name": "r", "steps": "many"}, [], ["'steps'", "int", "'many'"]),
    ({"name": "r", "steps": True}, [], ["'steps'", "int"]),
    ({"name": "r", "steps": 1.5}, [], ["'steps'", "int"]),
    ({"name": 3}, [], ["'name'", "str"]),
    ({"name": "r", "optimizer": {"name": "adam"}}, [], ["'optimizer.name'", "did you mean 'adamw'?"]),
    ({"name": "r", "optimizer": {"betas": [0.1]}}, [], ["'optimizer.betas'", "2 values"]),
    ({"name": "r", "widths": [1, "x"]}, [], ["'widths[1]'", "int"]),
    ({"name": "r", "widths": 3}, [], ["'widths'"]),
    ({"name": "r", "stages": [{"lrr": 1}]}, [], ["'stages[0].lrr'", "'lr'"]),
    ({"name": "r", "optimizer": 3}, [], ["optimizer", "key: value"]),
    ({"name": "r", "optimizer": None}, [], ["optimizer", "None"]),
    ({}, [], ["'name'", "missing"]),
    ({"name": "r"}, ["steps"], ["'steps'", "key.subkey=value"]),
    ({"name": "r"}, ["name.x=1"], ["name is a value"]),
    ({"name": "r"}, ["steps=[1"], ["not valid YAML"]),
])
def test_a_slip_is_named_with_its_key_and_remedy(data: dict[str, Any], overrides: list[str], said: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(Recipe, data, overrides)
    for part in said:
        assert part in str(caught.value)


@pytest.mark.parametrize(("text", "said"), [
    ("name: [", "not valid YAML at line"), ("- a\n- b\n", "list"),
    ("name: !!python/object:os.system x", "not valid YAML"),
])
def test_a_bad_file_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(Recipe, path)
    assert str(path) in str(caught.value)
    assert said in str(caught.value)


def test_a_missing_or_huge_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        load_config(Recipe, tmp_path / "none.yaml")
    big = tmp_path / "big.yaml"
    big.write_text("# " + "x" * 2_000_000)
    with pytest.raises(ConfigError, match="larger than"):
        load_config(Recipe, big)


def test_an_invalid_combination_is_a_config_error() -> None:
    @dataclass(frozen=True)
    class Even:
        n: int = 0

        def __post_init__(self) -> None:
            if self.n % 2:
                raise ValueError("n must be even")

    globals()["Even"] = Even
    with pytest.raises(ConfigError, match="n must be even"):
        load_config(Even, {"n": 3})


def test_a_registry_loads_on_first_use_and_names_the_closest() -> None:
    things = Registry("thing", {"root": "math:sqrt", "gone": "no_such_module:x"})
    assert things.get("root")(9) == 3
    with pytest.raises(ConfigError, match="did you mean 'root'"):
        things.get("rot")
    with pytest.raises(ConfigError, match="no_such_module"):
        things.get("gone")
    with pytest.raises(ConfigError, match="already"):
        things.add("root", len)
    things.add("size", len)
    assert things.get("size")("abc") == 3
