"""Filters as JSON: `{"tags.slug": {"in": ["news"]}, "or": [{"status": "draft"}, …]}`."""

from collections.abc import Mapping
from typing import Any

from cms_api.kernel.errors import Invalid
from cms_api.querying import Condition, Listing
from cms_api.querying.parsing import Refused, condition_of
from cms_api.querying.spellings import JSON, of_json


def condition_from(listing: Listing, given: Mapping[str, Any], *, pointer: str = "/filter") -> Condition:
    """The condition that a JSON object asks for. Raises `Invalid` with every fault."""
    try:
        return condition_of(of_json(given, pointer), listing, JSON)
    except Refused as error:
        raise Invalid(error.detail, faults=error.faults) from None
