"""Bodies of replies, real and odd: text, usage, and why there is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fiftyone_gemini.gemini.envelope import read_body
from fiftyone_gemini.values import Status, Usage
from hypothesis import given
from hypothesis import strategies as st

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("candidates", "content", "parts", "text", "thought", "error"),
                    *("finishReason", "promptFeedback", "blockReason", "message"),
                    *("usageMetadata", "promptTokenCount", "modelVersion"),
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


def reply_of(**document: object) -> bytes:
    """Write a body."""
    return json.dumps(document).encode()


def candidate(*parts: dict, finish: str = "STOP") -> bytes:
    """Write a body with one candidate."""
    content = {"content": {"parts": list(parts)}, "finishReason": finish}
    return reply_of(candidates=[content])


def test_text_is_that_of_all_parts_but_thoughts() -> None:
    """Parts are joined as they come; thoughts are left out."""
    body = candidate({"text": "hm", "thought": True}, {"text": "[1"}, {"text": ",2]"})
    reply = read_body(body)
    assert reply.text == "[1,2]"
    assert reply.body == body
    assert reply.failure is None
    assert not reply.cut


CODE = {"executableCode": {"code": "print(boxes)"}}
PRINTED = {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "[1]"}}
FAILED = {"codeExecutionResult": {"outcome": "OUTCOME_FAILED", "output": "Traceback"}}


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        pytest.param([{"text": "a"}, CODE, PRINTED, {"text": "b"}], "b", id="after"),
        pytest.param([CODE, PRINTED, {"text": "b"}, {"text": "c"}], "bc", id="two"),
        pytest.param([{"text": "a"}, CODE, PRINTED], "[1]", id="printed"),
        pytest.param([CODE, PRINTED, {"text": " \n"}], "[1]", id="blank"),
        pytest.param([CODE, PRINTED, CODE, FAILED], "", id="failed"),
        pytest.param([{"text": "a"}, CODE, FAILED], "a", id="before"),
        pytest.param([{"text": "a"}, CODE], "a", id="never run"),
        pytest.param(
            [CODE, PRINTED, {"text": "hm", "thought": True}], "[1]", id="thought"
        ),
    ],
)
def test_what_code_printed_counts_only_as_the_answer(
    parts: list[dict], text: str
) -> None:
    """The answer is what was said last: after code, else by the code, else before it."""
    assert read_body(candidate(*parts)).text == text


def test_usage_counts_every_kind_of_token() -> None:
    """Prompt, output, thoughts and cached tokens and the model's version are read."""
    usage = {
        "promptTokenCount": 1100,
        "candidatesTokenCount": 20,
        "thoughtsTokenCount": 5,
        "cachedContentTokenCount": 100,
        "totalTokenCount": 1125,
    }
    reply = read_body(
        reply_of(
            candidates=[{"content": {"parts": [{"text": "x"}]}}],
            usageMetadata=usage,
            modelVersion="gemini-3.8-flash",
        )
    )
    assert reply.usage == Usage(prompt=1100, output=20, thoughts=5, cached=100)
    assert reply.model_version == "gemini-3.8-flash"


@pytest.mark.parametrize(
    ("body", "failure", "words"),
    [
        pytest.param(
            reply_of(promptFeedback={"blockReason": "PROHIBITED_CONTENT"}),
            Status.BLOCKED,
            "PROHIBITED_CONTENT",
            id="blocked prompt",
        ),
        pytest.param(candidate(finish="SAFETY"), Status.BLOCKED, "SAFETY", id="safety"),
        pytest.param(
            candidate(finish="RECITATION"),
            Status.BLOCKED,
            "RECITATION",
            id="recitation",
        ),
        pytest.param(
            candidate(finish="MAX_TOKENS"), Status.TRUNCATED, "thinking", id="no text"
        ),
        pytest.param(
            candidate({"text": "all", "thought": True}, finish="MAX_TOKENS"),
            Status.TRUNCATED,
            "max_output_tokens",
            id="thoughts only",
        ),
        pytest.param(candidate(finish="STOP"), Status.MALFORMED, "STOP", id="nothing"),
        pytest.param(b"", Status.MALFORMED, "not JSON", id="empty"),
        pytest.param(b"<html>login</html>", Status.MALFORMED, "<html>", id="html"),
        pytest.param(b'{"candidates": [{"con', Status.MALFORMED, "not JSON", id="cut"),
        pytest.param(b"[]", Status.MALFORMED, "not an object", id="list"),
        pytest.param(b"{}", Status.MALFORMED, "no candidates", id="empty object"),
        pytest.param(b"\xff\xfe\x00", Status.MALFORMED, "not JSON", id="bytes"),
        pytest.param(b"[" * 100_000, Status.MALFORMED, "not JSON", id="too deep"),
        pytest.param(
            reply_of(error={"message": "boom"}), Status.MALFORMED, "boom", id="error"
        ),
    ],
)
def test_no_text_has_a_reason(body: bytes, failure: Status, words: str) -> None:
    """Blocked, truncated and malformed replies are told apart, each in words."""
    reply = read_body(body)
    assert reply.failure is failure
    assert words in reply.error
    assert reply.text == ""
    assert reply.body == body


@pytest.mark.parametrize("finish", ["MAX_TOKENS", "CONTINUATION", "SAFETY"])
def test_text_that_was_cut_is_kept_and_marked(finish: str) -> None:
    """What came before the limit or the filter is kept for the tasks to salvage."""
    reply = read_body(candidate({"text": '[{"box_2d": [1,2'}, finish=finish))
    assert reply.cut
    assert reply.failure is None
    assert reply.text.startswith("[{")


def test_an_unknown_finish_reason_with_text_is_an_answer() -> None:
    """A reason that is new to us does not cost the answer."""
    reply = read_body(candidate({"text": "x"}, finish="BRAND_NEW"))
    assert (reply.text, reply.cut, reply.failure) == ("x", False, None)


def test_captured_odd_replies_are_told_apart(shared: Path) -> None:
    """The odd bodies that were captured on the wire end as they should."""
    capture = json.loads((shared / "wire" / "12_odd_responses.json").read_text())
    bodies = [json.dumps(e["response"]["body"]).encode() for e in capture["exchanges"]]
    ends = [read_body(body).failure or "text" for body in bodies]
    assert ends[:4] == [Status.BLOCKED, "text", Status.TRUNCATED, Status.BLOCKED]
    assert Status.MALFORMED in ends


def test_every_stored_envelope_is_read(shared: Path) -> None:
    """No stored reply raises; each has text or a failure with a sentence."""
    files = sorted((shared / "replies" / "envelope").glob("*.json"))
    replies = [
        read_body(json.loads(file.read_text())["raw_text"].encode()) for file in files
    ]
    assert len(replies) > 50
    assert all(bool(r.text) != bool(r.failure) for r in replies)
    assert all(r.error for r in replies if r.failure)
    assert sum(bool(r.text) for r in replies) >= 12


@given(JSON)
def test_no_json_raises(document: object) -> None:
    """Whatever the shape of a body, it becomes a reply."""
    reply = read_body(json.dumps(document).encode())
    assert bool(reply.text) != bool(reply.failure)


@given(st.binary(max_size=200))
def test_no_bytes_raise(body: bytes) -> None:
    """Whatever the bytes of a body, they become a reply."""
    assert read_body(body).body == body
