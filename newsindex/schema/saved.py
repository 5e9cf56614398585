"""A saved schema: whether a model fits it, and a model made from it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, create_model

from newsindex.errors import SchemaError
from newsindex.schema.kinds import KINDS

__all__ = ["check_fit", "made_model"]


def check_fit(mine: dict[str, Any], saved: dict[str, Any], model_name: str, file: str) -> None:
    """Compare the schema of a model with that of an index.

    Raises:
        SchemaError: they differ.
    """
    have = {field["name"]: field for field in mine["fields"]}
    want = {field["name"]: field for field in saved["fields"]}
    for name in want | have:
        if have.get(name) == want.get(name):
            continue
        if name not in have:
            reason = f"the index has the field {name!r} ({want[name]['kind']}), {model_name} does not"
        elif name not in want:
            reason = f"{model_name} has the field {name!r} ({have[name]['kind']}), the index does not"
        else:
            reason = f"the field {name!r} is {_drawn(have[name])} in {model_name} and {_drawn(want[name])} in the index"
        raise SchemaError(f"{file}: {reason}; open it with the model it was made with, or index anew", name)


def _drawn(field: dict[str, Any]) -> str:
    weight = f"(weight={field['weight']:g})" if "weight" in field else ""
    return f"{field['kind']}{weight} of {'many ' if field['many'] else ''}{field['type']}"


def made_model(data: dict[str, Any]) -> type[BaseModel]:
    """Make a model from a saved schema, for programs that have no model: the command line and the prompt."""
    python_types = {"str": str, "datetime": datetime, "int": int, "float": float, "bool": bool, "any": Any}
    definitions: dict[str, Any] = {}
    for field in data["fields"]:
        kind = KINDS[field["kind"]](**({"weight": field["weight"]} if "weight" in field else {}))
        python_type: Any = python_types[field["type"]]
        if field["many"]:
            definitions[field["name"]] = (Annotated[list[python_type], kind], [])
        else:
            definitions[field["name"]] = (Annotated[python_type | None, kind], None)
    return create_model(str(data["model"]), __config__=ConfigDict(extra="allow"), **definitions)
