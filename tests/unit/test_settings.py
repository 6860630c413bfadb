"""What the environment may say."""

import pytest

from cms_api.settings import SettingsError, load


@pytest.mark.parametrize(
    "url",
    [
        "https://cms.example",
        "http://localhost:8000",
        "https://cms.example/api/",
        "http://[::1]:8000",
        "HTTP://ä.example",
    ],
)
def test_addresses_of_the_service(url: str) -> None:
    assert load({"CMS_PUBLIC_URL": url}).public_url == url


def test_no_address_of_the_service() -> None:
    assert load({"CMS_PUBLIC_URL": ""}).public_url is None


@pytest.mark.parametrize(
    "wrong",
    [
        "foo", "cms.example", "ftp://cms.example", "https://", "https:///api", "https://:80", "https://a b",
        "//cms.example", "https://ada:secret@cms.example", "https://cms.example?x=1", "https://cms.example/#top",
        "https://cms.example:http", "https://cms.example\n",
    ],
)  # fmt: skip
def test_what_is_no_address(wrong: str) -> None:
    with pytest.raises(SettingsError, match=r"CMS_PUBLIC_URL: expected a URL") as caught:
        load({"CMS_PUBLIC_URL": wrong})
    assert "secret" not in str(caught.value)


def test_origins() -> None:
    named = (
        "https://app.example", "http://localhost:3000", "http://[::1]:3000", "https://*.example", "http://localhost:*",
        "capacitor://localhost", "*",
    )  # fmt: skip
    assert load({"CMS_CORS_ORIGINS": ", ".join(named)}).cors_origins == named
    assert load({"CMS_CORS_ORIGINS": ""}).cors_origins == ()


@pytest.mark.parametrize(
    "wrong",
    [
        "zzz", "app.example", "https://app.example/", "https://app.example/path", "https://app.example?x", "https://",
        "https://App.example", "HTTPS://app.example", "https://ada@app.example", "null", "https://app.example:port",
    ],
)  # fmt: skip
def test_what_is_no_origin(wrong: str) -> None:
    with pytest.raises(SettingsError, match=r"CMS_CORS_ORIGINS: expected origins"):
        load({"CMS_CORS_ORIGINS": f"https://one.example,{wrong}"})
