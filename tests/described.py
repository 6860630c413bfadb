"""Reading the OpenAPI document."""

from typing import Any


def parameters_of(document: dict[str, Any], operation: dict[str, Any]) -> list[dict[str, Any]]:
    """The parameters of an operation, those of the document's components among them."""
    shared = document["components"]["parameters"]
    return [
        shared[one["$ref"].rpartition("/")[2]] if "$ref" in one else one
        for one in operation.get("parameters", ())
    ]


def names_of(document: dict[str, Any], operation: dict[str, Any]) -> list[str]:
    """What its parameters are called."""
    return [one["name"] for one in parameters_of(document, operation)]
