"""A client's YAML file → ``Parameters``.

Every problem is reported at once, each as one sentence, with the nearest valid key where one was misspelt.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from perennial.errors import ParameterError
from perennial.parameters import Parameters, unknown_key

CLIENT_NAME = re.compile(r"^[a-z0-9][a-z0-9_-]{0,63}$")
_SECRET = re.compile(r"://[^/\s:@]+:[^/\s@]+@")


class _Loader(yaml.SafeLoader):
    """Plain YAML that refuses the same key twice."""


def _mapping_once(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node)
        if key in seen:
            raise yaml.MarkedYAMLError(problem=f"key '{key}' stands twice", problem_mark=key_node.start_mark)
        seen.add(key)
    return loader.construct_mapping(node, deep=True)


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping_once)


def load_parameters(path: Path) -> Parameters:
    """Read and validate one client's YAML; the client's name is the file's.

    Raises
    ------
    ParameterError
        With every problem found: unknown keys (and the nearest valid one), impossible values, secrets.
    """
    heading = f"{path.name} cannot be used:"
    name = path.stem
    if not CLIENT_NAME.match(name):
        raise ParameterError(heading, [f"client name '{name}' must be lower-case letters, digits, - or _"])
    try:
        raw = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ParameterError(heading, [f"it is not valid YAML: {' '.join(str(error).split())}"]) from None
    if not isinstance(raw, dict):
        raise ParameterError(heading, ["it holds no parameters; see parameters/demo.yaml for an example"])
    secrets = list(_secrets(raw, ()))
    if secrets:
        raise ParameterError(heading, secrets)
    try:
        return Parameters.model_validate({"client": name, **raw})
    except ValidationError as error:
        raise ParameterError(heading, _sentences(error)) from None


def _secrets(value: Any, where: tuple[str, ...]) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _secrets(inner, (*where, str(key)))
    elif isinstance(value, list):
        for inner in value:
            yield from _secrets(inner, where)
    elif isinstance(value, str) and _SECRET.search(value):
        yield f"{'.'.join(where)} holds a password: put it in an environment variable, never in YAML"


def _sentences(error: ValidationError) -> list[str]:
    found: list[str] = []
    for item in error.errors():
        parts = [part for part in item["loc"] if not str(part).startswith("function-")]
        where = ".".join(str(part) for part in parts)
        if item["type"] == "extra_forbidden":
            found.append(unknown_key(str(parts[-1]), _known_keys(parts[:-1]), ".".join(map(str, parts[:-1]))))
        elif item["type"] == "missing":
            found.append(f"{where}: missing, and needed")
        elif item["type"] == "value_error":
            text = str(item["ctx"]["error"])
            found += text.split("\n") if not where or text.startswith(where) else [f"{where}: {text}"]
        else:
            message = item["msg"][0].lower() + item["msg"][1:]
            found.append(f"{where}: {message} (found {item['input']!r})")
    return found


def _known_keys(parts: list[Any]) -> list[str]:
    """The valid keys of the model found by walking ``parts`` from the top."""
    model: Any = Parameters
    for part in parts:
        if isinstance(model, type) and issubclass(model, BaseModel) and part in model.model_fields:
            model = _inner_model(model.model_fields[part].annotation)
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return []
    return [field.alias or name for name, field in model.model_fields.items() if name != "client"]


def _inner_model(annotation: Any) -> Any:
    """The pydantic model inside ``dict[str, M]``, ``M | None`` or ``M`` itself."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        found = _inner_model(inner)
        if found is not None:
            return found
    return None
