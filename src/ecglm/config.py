"""Frozen dataclasses from YAML and back, with dotted overrides.

A configuration is a plain frozen dataclass; its fields and annotations are the schema.
An unknown key or a value of the wrong type is a `ConfigError` that names the key, the
file and the closest valid key. This module knows nothing about what is configured.

    @dataclass(frozen=True)
    class Optimizer:
        lr: float = 3e-4

    config = load_config(Recipe, "recipes/default.yaml", ["optimizer.lr=1e-3"])
"""

from __future__ import annotations

import dataclasses
import difflib
import os
import re
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

import yaml

from ecglm.atomic import write_text
from ecglm.errors import ConfigError

T = TypeVar("T")

#: A recipe or task is a page of text; anything larger is not one (also bounds YAML alias expansion).
MAX_CONFIG_BYTES = 1_000_000

_FLOAT = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")


def load_config(cls: type[T], source: str | os.PathLike[str] | Mapping[str, Any],
                overrides: Sequence[str] = ()) -> T:
    """Build `cls` from a YAML file or a mapping, after applying ``a.b=value`` overrides.

    Raises ConfigError for a missing or malformed file, an unknown key, a missing required
    key, a wrong type or a bad override.
    """
    if isinstance(source, Mapping):
        data, origin = _copy(source), cls.__name__
    else:
        data, origin = read_yaml(source), os.fspath(source)
    for override in overrides:
        apply_override(data, override)
    return _build(cls, data, "", origin)


def read_yaml(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The mapping in a YAML file. Raises ConfigError when it is missing, too large or not a mapping."""
    name = os.fspath(path)
    try:
        if os.path.getsize(name) > MAX_CONFIG_BYTES:
            raise ConfigError(f"{name}: larger than {MAX_CONFIG_BYTES:,} bytes; is this a configuration file?")
        with open(name, encoding="utf-8") as file:
            data = yaml.safe_load(file)
    except FileNotFoundError:
        raise ConfigError(f"{name}: no such file; check the path") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{name}: cannot be read ({error})") from None
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ConfigError(f"{name}: not valid YAML{where} ({getattr(error, 'problem', None) or error})") from None
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise ConfigError(f"{name}: holds a {type(data).__name__}; write key: value pairs at the top level")
    return data


def apply_override(data: dict[str, Any], override: str) -> None:
    """Set one ``a.b=value`` in a nested mapping, in place. The value is read as YAML."""
    key, equals, text = override.partition("=")
    parts = [part.strip() for part in key.split(".")]
    if not equals or not all(parts):
        raise ConfigError(f"override {override!r} is not of the form key.subkey=value")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        raise ConfigError(f"override {override!r}: the value is not valid YAML; quote it") from None
    node = data
    for depth, part in enumerate(parts[:-1], 1):
        child = node.setdefault(part, {})
        if child is None:
            child = node[part] = {}
        if not isinstance(child, dict):
            raise ConfigError(f"override {override!r}: {'.'.join(parts[:depth])} is a value, not a group of keys")
        node = child
    node[parts[-1]] = value


def to_dict(config: Any) -> dict[str, Any]:
    """A configuration as plain YAML-ready values (tuples become lists). The inverse of load_config."""
    return {field.name: _plain(getattr(config, field.name)) for field in dataclasses.fields(config) if field.init}


def save(config: Any, path: str | os.PathLike[str]) -> None:
    """Write a configuration as YAML, all at once: a reader never sees half a file."""
    write_text(path, yaml.safe_dump(to_dict(config), sort_keys=False, allow_unicode=True))


def closest(name: str, valid: Iterable[str]) -> str:
    """``did you mean 'x'?`` for a near miss, otherwise the list of valid names."""
    names = list(valid)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"valid: {', '.join(names)}" if names else "nothing is valid here"


def _copy(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copy(child) for key, child in value.items()}
    return value


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return to_dict(value)
    if isinstance(value, Mapping):
        return {key: _plain(child) for key, child in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(child) for child in value]
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def _build(cls: type[T], data: Any, key: str, origin: str) -> T:
    if not isinstance(data, Mapping):
        raise ConfigError(f"{origin}: {key or 'top level'}: expected key: value pairs, got {_shown(data)}")
    fields = {field.name: field for field in dataclasses.fields(cls) if field.init}  # type: ignore[arg-type]
    prefix = f"{key}." if key else ""
    for name in data:
        if name not in fields:
            raise ConfigError(f"{origin}: unknown key '{prefix}{name}'; {closest(str(name), fields)}")
    for name, field in fields.items():
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if required and name not in data:
            raise ConfigError(f"{origin}: key '{prefix}{name}' is missing; add it")
    hints = typing.get_type_hints(cls)
    values = {name: _coerce(hints[name], value, f"{prefix}{name}", origin) for name, value in data.items()}
    try:
        return cls(**values)
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{origin}: {key or cls.__name__}: {error}") from None


def _coerce(hint: Any, value: Any, key: str, origin: str) -> Any:
    """`value` as an instance of the annotation, or ConfigError. int widens to float, list to tuple."""
    kind, args = get_origin(hint), get_args(hint)
    if hint is Any:
        return value
    if kind in (Union, types.UnionType):
        return _coerce_union(args, hint, value, key, origin)
    if kind is Literal:
        for choice in args:
            if value == choice and type(value) is type(choice):
                return choice
        raise ConfigError(f"{origin}: key '{key}' is {_shown(value)}; {closest(str(value), map(str, args))}")
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return value if isinstance(value, hint) else _build(hint, value, key, origin)
    if kind in (list, tuple) or hint in (list, tuple):
        return _coerce_sequence(kind or hint, args, hint, value, key, origin)
    if kind in (dict, Mapping) or hint is dict:
        if not isinstance(value, Mapping):
            raise _wrong(hint, value, key, origin)
        key_hint, value_hint = args or (Any, Any)
        return {_coerce(key_hint, k, f"{key}.{k}", origin): _coerce(value_hint, v, f"{key}.{k}", origin)
                for k, v in value.items()}
    return _coerce_scalar(hint, value, key, origin)


def _coerce_scalar(hint: Any, value: Any, key: str, origin: str) -> Any:
    if hint is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if hint is float and isinstance(value, str) and _FLOAT.fullmatch(value):
        return float(value)  # YAML 1.1 reads 1e-3 (no dot) as text
    if hint is int and isinstance(value, bool):
        raise _wrong(hint, value, key, origin)
    if hint is Path and isinstance(value, str):
        return Path(value)
    if hint in (type(None), None):
        if value is None:
            return None
    elif isinstance(hint, type) and isinstance(value, hint):
        return value
    raise _wrong(hint, value, key, origin)


def _coerce_sequence(kind: Any, args: tuple[Any, ...], hint: Any, value: Any, key: str, origin: str) -> Any:
    if not isinstance(value, (list, tuple)):
        raise _wrong(hint, value, key, origin)
    if kind is list or not args or args[-1] is Ellipsis:
        hints = [args[0] if args else Any] * len(value)
    else:
        hints = list(args)
        if len(hints) != len(value):
            raise ConfigError(f"{origin}: key '{key}' needs {len(hints)} values, got {len(value)}")
    return kind(_coerce(h, v, f"{key}[{i}]", origin) for i, (h, v) in enumerate(zip(hints, value, strict=True)))


def _coerce_union(args: tuple[Any, ...], hint: Any, value: Any, key: str, origin: str) -> Any:
    if value is None and type(None) in args:
        return None
    options = [arg for arg in args if arg is not type(None)]
    if len(options) == 1:
        return _coerce(options[0], value, key, origin)
    if any(option is type(value) for option in options):
        return value
    for option in options:
        try:
            return _coerce(option, value, key, origin)
        except ConfigError:
            continue
    raise _wrong(hint, value, key, origin)


def _wrong(hint: Any, value: Any, key: str, origin: str) -> ConfigError:
    wanted = hint.__name__ if isinstance(hint, type) and not get_args(hint) else str(hint).replace("typing.", "")
    return ConfigError(f"{origin}: key '{key}' must be {wanted}, got {_shown(value)}")


def _shown(value: Any) -> str:
    text = repr(value)
    return f"{text[:57]}..." if len(text) > 60 else text
