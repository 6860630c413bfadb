"""`q` on a list: what is searched for, told apart from what else is asked."""

import msgspec

from cms_api.domains.cms.search.interface import Question
from cms_api.domains.cms.search.syntax import canonical
from cms_api.querying import EVERYTHING, AllOf, Comparison, Condition, Matches, PageRequest, all_of


def searched(page: PageRequest, default_locale: str) -> tuple[Question | None, PageRequest]:
    """What a list is searched for, None where it is not, and the page without it.

    The language is the one that the filter asks for, else the default one.
    """
    parts = page.filter.conditions if isinstance(page.filter, AllOf) else (page.filter,)
    words = [one.query for one in parts if isinstance(one, Matches)]
    if not words:
        return None, page
    rest = [one for one in parts if not isinstance(one, Matches)]
    locale = next((found for one in rest if (found := _locale(one))), default_locale)
    narrowed = msgspec.structs.replace(page, filter=all_of(*rest) if rest else EVERYTHING)
    return Question(canonical(words[0]), locale), narrowed


def tidied(condition: Condition) -> Condition:
    """The condition with what it searches for in the form that is searched for."""
    match condition:
        case Matches(query):
            return Matches(canonical(query))
        case AllOf(conditions):
            return AllOf(tuple(map(tidied, conditions)))
        case _:
            return condition


def _locale(condition: Condition) -> str | None:
    match condition:
        case Comparison("locale", "eq", (str(locale),)):
            return locale
        case _:
            return None
