"""What is asked of lists: one grammar for query strings, JSON bodies, jobs and services themselves."""

from cms_api.querying.conditions import (
    EVERYTHING,
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    Matches,
    Not,
    Operator,
    all_of,
    comparisons,
    mentions,
)
from cms_api.querying.listings import (
    LOGIC,
    MAX_RELATIONS,
    NO_FIELDS,
    OPERATORS,
    Fields,
    FieldType,
    Listing,
    Relation,
    nearest,
)
from cms_api.querying.pages import DEFAULT_LIMIT, MAX_LIMIT, Count, Page, PageRequest, SortKey
from cms_api.querying.selections import NO_SELECTION, Selection

__all__ = [
    "DEFAULT_LIMIT",
    "EVERYTHING",
    "LOGIC",
    "MAX_LIMIT",
    "MAX_RELATIONS",
    "NO_FIELDS",
    "NO_SELECTION",
    "OPERATORS",
    "AllOf",
    "AnyOf",
    "Comparison",
    "Condition",
    "Count",
    "FieldType",
    "Fields",
    "Listing",
    "Matches",
    "Not",
    "Operator",
    "Page",
    "PageRequest",
    "Relation",
    "Selection",
    "SortKey",
    "all_of",
    "comparisons",
    "mentions",
    "nearest",
]
