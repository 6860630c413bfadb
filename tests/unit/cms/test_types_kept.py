"""What is worked out from content types, and kept."""

from cms_api.domains.cms.documents.types import UntilChanged


class Maker:
    """Makes something else each time."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self) -> int:
        self.made += 1
        return self.made


def test_it_is_made_once_for_each_key_until_a_type_changes() -> None:
    kept, make = UntilChanged[str, int](), Maker()
    assert [kept.get("1", key, make) for key in "aba"] == [1, 2, 1]
    assert [kept.get("2", key, make) for key in "aa"] == [3, 3]
    assert kept.get("1", "a", make) == 4


def test_without_a_stamp_nothing_is_kept() -> None:
    kept, make = UntilChanged[str, int](), Maker()
    assert [kept.get("", "a", make) for _ in range(2)] == [1, 2]


def test_only_so_much_is_kept() -> None:
    kept, make = UntilChanged[str, int](most=2), Maker()
    assert [kept.get("1", key, make) for key in "abab"] == [1, 2, 1, 2]
    assert [kept.get("1", key, make) for key in "cac"] == [3, 4, 3]
