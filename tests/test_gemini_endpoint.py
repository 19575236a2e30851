"""Where Gemini is: keys, the enterprise platform, other servers; the key stays hidden."""

from __future__ import annotations

import pickle

import pytest
from fiftyone_gemini.errors import MissingKeyError, UsageError
from fiftyone_gemini.gemini.counting import count_tokens
from fiftyone_gemini.gemini.endpoint import Endpoint, endpoint_from_environment
from fiftyone_gemini.gemini.failures import Cause, advise
from fiftyone_gemini.gemini.limits import Limits
from gemini_server import request_about, serving
from google.genai import _api_client

SECRET = "AIzaSyTopSecretKey"


@pytest.mark.parametrize(
    ("environ", "argument", "key"),
    [
        pytest.param({"GEMINI_API_KEY": "a"}, "", "a", id="gemini"),
        pytest.param({"GOOGLE_API_KEY": "b"}, "", "b", id="google"),
        pytest.param(
            {"GEMINI_API_KEY": "a", "GOOGLE_API_KEY": "b"}, "", "b", id="both"
        ),
        pytest.param({"GOOGLE_API_KEY": "b"}, "c", "c", id="argument"),
        pytest.param({"GEMINI_API_KEY": " a\n"}, "", "a", id="white space"),
    ],
)
def test_keys_are_found_in_the_sdks_order(
    environ: dict[str, str], argument: str, key: str
) -> None:
    """The argument wins, then GOOGLE_API_KEY, then GEMINI_API_KEY."""
    endpoint = endpoint_from_environment(environ, api_key=argument)
    assert (endpoint.kind, endpoint.api_key) == ("gemini", key)


def test_the_order_of_keys_is_that_of_the_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK itself chooses the same one of two keys."""
    environ = {"GEMINI_API_KEY": "a", "GOOGLE_API_KEY": "b"}
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    chosen = endpoint_from_environment(environ).api_key
    assert chosen == _api_client.get_env_api_key()


@pytest.mark.parametrize("environ", [{}, {"GEMINI_API_KEY": "  "}])
def test_no_key_says_what_to_set(environ: dict[str, str]) -> None:
    """Without a key the sentence names the variables."""
    with pytest.raises(MissingKeyError, match="GEMINI_API_KEY"):
        endpoint_from_environment(environ)


@pytest.mark.parametrize(
    ("switch", "location"),
    [
        pytest.param({"GOOGLE_GENAI_USE_ENTERPRISE": "true"}, "", id="new name"),
        pytest.param({"GOOGLE_GENAI_USE_VERTEXAI": "1"}, "", id="old name"),
        pytest.param({"GOOGLE_GENAI_USE_VERTEXAI": "True"}, "us", id="location"),
    ],
)
def test_the_enterprise_platform_needs_a_project(
    switch: dict[str, str], location: str
) -> None:
    """Either switch works; a key of the environment does not displace the project."""
    environ = {**switch, "GOOGLE_CLOUD_PROJECT": "p", "GOOGLE_API_KEY": SECRET}
    if location:
        environ["GOOGLE_CLOUD_LOCATION"] = location
    endpoint = endpoint_from_environment(environ)
    assert (endpoint.kind, endpoint.project) == ("enterprise", "p")
    assert endpoint.location == (location or "global")
    assert endpoint.api_key == ""
    with pytest.raises(MissingKeyError, match="GOOGLE_CLOUD_PROJECT"):
        endpoint_from_environment(switch)


def test_the_new_switch_wins_over_the_old() -> None:
    """ENTERPRISE=false with VERTEXAI=true means the Gemini API."""
    environ = {
        "GOOGLE_GENAI_USE_ENTERPRISE": "false",
        "GOOGLE_GENAI_USE_VERTEXAI": "true",
        "GEMINI_API_KEY": "a",
    }
    assert endpoint_from_environment(environ).kind == "gemini"


def test_the_enterprise_platform_takes_a_key_alone() -> None:
    """Express mode: a key and no project."""
    environ = {"GOOGLE_GENAI_USE_ENTERPRISE": "true", "GOOGLE_CLOUD_PROJECT": "p"}
    endpoint = endpoint_from_environment(environ, api_key=SECRET)
    assert (endpoint.project, endpoint.api_key) == ("", SECRET)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8765", "http://localhost:1/", "http://[::1]:80"]
)
def test_a_server_on_this_machine_is_the_emulator(url: str) -> None:
    """Loopback needs no key and costs nothing."""
    assert endpoint_from_environment({}, base_url=url).kind == "emulator"
    environ = {"GOOGLE_GEMINI_BASE_URL": url, "GEMINI_API_KEY": "a"}
    assert endpoint_from_environment(environ).kind == "emulator"


def test_another_server_is_gemini_and_needs_a_key() -> None:
    """A gateway elsewhere is not mistaken for the emulator."""
    url = "https://gateway.example/127.0.0.1"
    endpoint = endpoint_from_environment({"GEMINI_API_KEY": "a"}, base_url=url)
    assert (endpoint.kind, endpoint.base_url) == ("gemini", url)
    with pytest.raises(MissingKeyError):
        endpoint_from_environment({}, base_url=url)


def test_a_server_a_version_and_a_timeout_can_be_given() -> None:
    """They hold for the Gemini API and the enterprise platform, over the environment."""
    given = {"api_version": "v1beta", "timeout_seconds": 7.0}
    environ = {
        "GOOGLE_GENAI_USE_VERTEXAI": "true",
        "GOOGLE_CLOUD_PROJECT": "p",
        "GOOGLE_VERTEX_BASE_URL": "https://old.example",
    }
    url = "https://gateway.example"
    enterprise = endpoint_from_environment(environ, base_url=url, **given)
    gemini = endpoint_from_environment({"GEMINI_API_KEY": "a"}, base_url=url, **given)
    kept = endpoint_from_environment(environ)
    for endpoint in (enterprise, gemini):
        assert endpoint.base_url == url
        assert (endpoint.api_version, endpoint.timeout_seconds) == ("v1beta", 7.0)
    assert (kept.base_url, kept.api_version) == ("https://old.example", "")


def test_the_version_of_the_environment_is_left_to_the_sdk(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """GOOGLE_GENAI_API_VERSION is in the address; what is given wins over it."""
    monkeypatch.setenv("GOOGLE_GENAI_API_VERSION", "v1alpha")
    paths = []
    for version in ("", "v1beta"):
        with serving([]) as server:
            endpoint = endpoint_from_environment(
                {}, base_url=server.url, api_version=version
            )
            count_tokens([request_about()], endpoint)
            paths.append(server.seen[0].path.split("/")[1])
    assert paths == ["v1alpha", "v1beta"]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (404, "models/m is not found for API version v1"),
        (400, 'Unknown name "x": Cannot find field.'),
        (400, "The API version v1 does not support this."),
    ],
)
def test_a_refusal_about_the_version_names_the_way_out(code: int, words: str) -> None:
    """The sentence suggests v1beta, by option and by variable."""
    advice = advise(Cause(code, "X", words), "m")
    assert "--api-version v1beta" in advice
    assert "GOOGLE_GENAI_API_VERSION=v1beta" in advice


def test_the_key_never_shows() -> None:
    """Neither repr nor str nor an f-string shows the key."""
    endpoint = endpoint_from_environment({}, api_key=SECRET)
    assert SECRET not in f"{endpoint!r} {endpoint}"
    assert pickle.loads(pickle.dumps(endpoint)) == endpoint


def test_foreign_texts_are_redacted() -> None:
    """A key inside a text from outside is taken out; no key changes nothing."""
    endpoint = Endpoint("gemini", SECRET)
    assert endpoint.redact(f"bad key {SECRET}!") == "bad key [key]!"
    assert Endpoint("enterprise").redact("plain") == "plain"


@pytest.mark.parametrize(
    "bounds", [{"in_flight": 0}, {"attempts": 0}, {"backoff_seconds": -1}]
)
def test_limits_that_allow_nothing_are_refused(bounds: dict[str, int]) -> None:
    """Zero places, zero attempts and negative waits are the caller's mistakes."""
    with pytest.raises(UsageError):
        Limits(**bounds)
