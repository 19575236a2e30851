"""Items out of text: nothing lost before a cut, nothing invented after it."""

from __future__ import annotations

import json
import time

import pytest
from fiftyone_gemini.parsing.json_text import JsonItems, find_items
from hypothesis import given, settings
from hypothesis import strategies as st

CUP = {"box_2d": [10, 20, 30, 40], "label": "cup"}
CAT = {"box_2d": [50, 60, 700, 800], "label": "cat {a} ]"}
LIST = json.dumps([CUP, CAT])

labels = st.text(alphabet=st.characters(exclude_characters="'"), max_size=12)
objects = st.fixed_dictionaries(
    {
        "box_2d": st.lists(st.integers(0, 1000), min_size=4, max_size=4),
        "label": labels,
    },
    optional={
        "mask": st.just("data:image/png;base64,iVBORw0KGgo="),
        "confidence": st.floats(0, 1),
    },
)


def values(found: JsonItems) -> list[object]:
    """List the values alone."""
    return [item.value for item in found.items]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        pytest.param(LIST, "[0]", id="plain"),
        pytest.param(f"```json\n{LIST}\n```", "[0]", id="fence"),
        pytest.param(f"```\n{LIST}\n```\nThat is all.", "[0]", id="bare fence"),
        pytest.param(f"Here are {{the}} boxes:\n{LIST} Bye!", "[0]", id="prose"),
        pytest.param(f"It's here: ```json\n{LIST}", "[0]", id="open fence"),
        pytest.param(f"[{LIST}]", "[0][0]", id="list in list"),
        pytest.param(f'{{"boxes": {LIST}}}', "boxes[0]", id="boxes"),
        pytest.param(f'{{"detections": {LIST}}}', "detections[0]", id="detections"),
        pytest.param(f'{{"n": 2, "things": {LIST}}}', "things[0]", id="any wrapper"),
        pytest.param(
            f'[{{"objects": {LIST}}}]', "[0].objects[0]", id="wrapper in list"
        ),
        pytest.param(f'Sure: {{"boxes": {LIST}}}', "boxes[0]", id="prose and wrapper"),
        pytest.param(f'{{"boxes": {LIST[:-1]},]}}', "boxes[0]", id="comma in wrapper"),
        pytest.param(f'{{"a": {{"boxes": {LIST}}}}}', "a.boxes[0]", id="deeper"),
        pytest.param(f'{{"a": {{"b": {LIST}}}}}', "a.b[0]", id="any deeper"),
        pytest.param(
            f'```python\nx = [{{"box_2d": [9, 9, 99, 99]}}]\n```\nSo:\n{LIST}',
            "[0]",
            id="code before",
        ),
        pytest.param(f"```python\nboxes = {LIST}\n```", "[0]", id="code alone"),
        pytest.param(LIST[:-1] + ",]", "[0]", id="trailing comma"),
        pytest.param(LIST.replace("}, {", "}\n{"), "[0]", id="no commas"),
        pytest.param(f"{json.dumps(CUP)}\n{json.dumps(CAT)}", "[0]", id="lines"),
        pytest.param(
            f"```json\n[{json.dumps(CUP)}]\n```\nand\n```json\n[{json.dumps(CAT)}]\n```",
            "[0]",
            id="two fences",
        ),
    ],
)
def test_surroundings_do_not_matter(text: str, first: str) -> None:
    """Fences, prose and wrappers around the items change nothing but their paths."""
    found = find_items(text)
    assert values(found) == [CUP, CAT]
    assert found.items[0].path == first
    assert (found.seen, found.cut, found.readable) == (2, False, True)
    assert not found.issues


@pytest.mark.parametrize(
    "item",
    [
        pytest.param('{"box_2d": [1, 2, 3, 4], "label": "a",}', id="trailing comma"),
        pytest.param("{'box_2d': [1, 2, 3, 4], 'label': 'a'}", id="single quotes"),
        pytest.param('{box_2d: [1, 2, 3, 4], label: "a"}', id="bare keys"),
        pytest.param("{“box_2d”: [1, 2, 3, 4], “label”: “a”}", id="curly quotes"),
        pytest.param('{"box_2d": [1, 2, 3, 4] "label": "a"}', id="no comma"),
        pytest.param('{"box_2d": [1, 2, 3, 4], "label": a}', id="bare label"),
        pytest.param('{"box_2d": (1, 2, 3, 4), "label": "a"}', id="tuple"),
        pytest.param("{'box_2d': [1, 2, 3, 4], 'label': 'a', 'x': None}", id="None"),
        pytest.param('{"box\\_2d": [1, 2, 3, 4], "label": "a"}', id="markdown"),
        pytest.param(
            '{"id": 3, "box_2d": [1, 2, 3, 4,], "label": "a"}', id="other key"
        ),
    ],
)
def test_a_damaged_item_is_mended_alone(item: str) -> None:
    """A closed but damaged object is mended, with an issue; its neighbours stay."""
    found = find_items(f"[{json.dumps(CUP)}, {item}, {json.dumps(CAT)}]")
    assert len(found.items) == 3
    assert found.items[0].value == CUP
    assert found.items[2].value == CAT
    mended = found.items[1].value
    assert isinstance(mended, dict)
    assert mended["box_2d"] == [1, 2, 3, 4]
    assert mended["label"] == "a"
    assert [(i.path, i.code) for i in found.issues] == [("[1]", "repaired")]
    assert not found.cut


def test_json_written_as_a_string_is_read() -> None:
    """A whole answer that was encoded twice is the answer."""
    text = json.dumps([CUP, CAT])
    for twice in (json.dumps(text), f"```json\n{json.dumps(text)}\n```"):
        found = find_items(twice)
        assert values(found) == [CUP, CAT]
        assert (found.cut, found.readable) == (False, True)


@pytest.mark.parametrize(
    "tail", [", {", ', {"', ', {"lab', ', {"label', ', {"label"', ","]
)
@pytest.mark.parametrize("head", ["", "[", '{"boxes": ['])
def test_a_cut_is_seen_wherever_it_falls(head: str, tail: str) -> None:
    """Objects side by side, without a list, are cut where the next one has begun."""
    found = find_items(head + json.dumps(CUP) + tail)
    assert values(found) == [CUP]
    assert found.cut


def test_braces_in_a_label_hide_no_cut() -> None:
    """A label that looks like the head of an object does not close the one it is in."""
    cut = f'{json.dumps(CUP)}, {{"label": "{{:", "box_2d": [1, 2, 3, 4], "ma'
    found = find_items(cut)
    assert values(found) == [CUP]
    assert found.cut


@pytest.mark.parametrize("end", ["]", "\n]\n```", "\n]\n```\nThat is all.", "] ", "]}"])
@pytest.mark.parametrize(
    ("item", "label"),
    [
        pytest.param('{"box_2d": [1, 2, 3, 4], "label": "14" tv"}', '14" tv', id="one"),
        pytest.param('{"label": "a 14" tv", "box_2d": [1, 2, 3, 4]}', 'a 14" tv', id="first"),
        pytest.param('{"box_2d": [1, 2, 3, 4], "label": "a "b" c"}', 'a "b" c', id="two"),
    ],
)  # fmt: skip
def test_quotes_inside_the_last_label_are_no_cut(
    item: str, label: str, end: str
) -> None:
    """A closed list whose last label holds quotes is mended, not called cut."""
    head = '{"boxes": [' if end == "]}" else "["
    found = find_items(f"{head}{json.dumps(CUP)}, {item}{end}")
    assert values(found) == [CUP, {"box_2d": [1, 2, 3, 4], "label": label}]
    assert [issue.code for issue in found.issues] == ["repaired"]
    assert (found.cut, found.repaired) == (False, 1)


@pytest.mark.parametrize(
    "tail",
    ['"label": "}]', '"label": "a}]', '"label": "a 3}]', '"label": "14" tv"}',
     '"label": "14" t', '"label": "14" tv", "x": [1}', '"x": [1, 2'],
)  # fmt: skip
def test_what_may_be_cut_is_cut(tail: str) -> None:
    """Brackets at the very end may be those of a label: then the reply is cut."""
    found = find_items(f'[{json.dumps(CUP)}, {{"box_2d": [1, 2, 3, 4], {tail}')
    assert CUP in values(found)
    assert found.cut


@pytest.mark.parametrize(
    ("item", "label"),
    [
        pytest.param("""{'label': "the bee's body"}""", "the bee's body", id="repr"),
        pytest.param("{'label': 'the bee's body'}", "the bee's body", id="apostrophe"),
        pytest.param("{'label': 'it\\'s'}", "it's", id="escaped"),
        pytest.param("""{'label': 'a "b" c'}""", 'a "b" c', id="double"),
        pytest.param("{“label”: “a “b” c”}", 'a "b" c', id="curly"),
        pytest.param('{"label": "two\nlines"}', "two\nlines", id="line break"),
    ],
)
def test_quotes_of_every_kind_keep_the_label(item: str, label: str) -> None:
    """Quotes inside of labels stay, whichever the object is written in."""
    assert values(find_items(f"[{item}, {json.dumps(CUP)}]")) == [{"label": label}, CUP]


def test_a_mended_label_is_never_half_a_word() -> None:
    """What a repair cut out of a word is left out; the box stays."""
    found = find_items('[{"box_2d": [1, 2, 3, 4], "label"null: "text"},]')
    assert values(found) == [{"box_2d": [1, 2, 3, 4]}]


def test_code_taken_out_leaves_no_empty_list() -> None:
    """Brackets on both sides of shown code are no empty list: nobody said nothing."""
    found = find_items('[```json\n[\n```python\n"box_2d": [1, 2, 3, 4]}\n```\n]\n')
    assert not found.items
    assert found.cut or not found.readable


def test_a_tangle_never_passes_for_a_whole_answer() -> None:
    """Where reading was given up after some items, the reply counts as cut."""
    found = find_items(json.dumps(CUP) + '{"a":[' * 50_000)
    assert values(found) == [CUP]
    assert found.cut


def test_an_item_that_is_never_closed_costs_no_other() -> None:
    """An unclosed object in the middle is lost alone, and counted."""
    broken = '{"box_2d": [1, 2, 3, "mask": "data:image/png;base64,iVBOR'
    found = find_items(f"[{json.dumps(CUP)}, {broken}, {json.dumps(CAT)}]")
    assert values(found) == [CUP, CAT]
    assert found.seen == 3
    assert [(i.path, i.code) for i in found.issues] == [("[1]", "damaged")]


@pytest.mark.parametrize(
    "text",
    ["[]", "```json\n[]\n```", '{"boxes": []}', '{"cups": []}', "[[]]", "Here: []",
     "There are none.\n[]", '```json\n{"boxes": []}\n```\nNothing to see.'],
)  # fmt: skip
def test_an_empty_list_is_an_answer(text: str) -> None:
    """An empty list says that there is nothing: readable, with no item."""
    found = find_items(text)
    assert (found.items, found.seen, found.readable, found.cut) == ((), 0, True, False)


@pytest.mark.parametrize(
    "text",
    ["", "   ", "I cannot see any cups.", "null", "3", '"[]"', "{}", '{"error": "no"}',
     "boxes = []\nfor box in boxes: print({})", '"mask": "gimme_mask_for_this"',
     "[I am sorry]", "```json\n\n```", '{"a": {"b": 1}}'],
)  # fmt: skip
def test_text_without_an_answer_is_unreadable(text: str) -> None:
    """Text that holds no list of objects is unreadable: never `nothing there`."""
    found = find_items(text)
    assert not found.readable
    assert not found.items


@pytest.mark.parametrize(
    "text", ["[", '```json\n[\n  {"bo', '{"boxes": [', '[{"box_2d": [1']
)
def test_a_reply_cut_before_its_first_item_is_cut(text: str) -> None:
    """A list that has only begun is a cut answer, not an unreadable one."""
    found = find_items(text)
    assert found.cut
    assert found.readable
    assert not found.items


@given(
    st.lists(objects, min_size=1, max_size=5),
    st.sampled_from([("", ""), ("```json\n", "\n```"), ('{"boxes": ', "}")]),
    st.sampled_from([None, 2]),
    st.data(),
)
@settings(max_examples=400)
def test_a_cut_keeps_what_is_complete_and_invents_nothing(
    items: list[dict], around: tuple[str, str], indent: int | None, data: st.DataObject
) -> None:
    """Cut anywhere, every complete item before the cut is kept, and no other."""
    whole = around[0] + json.dumps(items, indent=indent) + around[1]
    at = data.draw(st.integers(0, len(whole)))
    ends = []
    position = len(around[0])
    for item in items:
        text = json.dumps([item], indent=indent)[1:-1].strip()
        position = whole.index(text, position) + len(text)
        ends.append(position)
    complete = [item for item, end in zip(items, ends, strict=True) if end <= at]
    found = find_items(whole[:at])
    assert values(found) == complete
    closed = at >= len(whole) - len(around[1].rstrip("`\n")) if around[1] else False
    if complete and len(complete) < len(items):
        assert found.cut
    assert not (closed and at == len(whole) and found.cut)


@given(st.text(alphabet="[]{}\",:\\_`' \nabc_2dboxlmsk0123456789.-", max_size=80))
@settings(max_examples=500)
def test_no_text_raises(text: str) -> None:
    """Any text at all gives items and issues, never an exception."""
    found = find_items(text)
    assert found.seen >= len(found.items)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[" * 500_000, id="lists"),
        pytest.param("{" * 500_000, id="objects"),
        pytest.param('{"a":' * 100_000, id="nested objects"),
        pytest.param('{"a":[' * 80_000, id="nested both"),
        pytest.param('{"box_2d":' * 50_000, id="nested items"),
        pytest.param('{"label": "x' * 40_000, id="open strings"),
        pytest.param("{'label': 'x" * 40_000, id="open single strings"),
        pytest.param('[{"box_2d": [1, 2, 3, ' + "4" * 500_000 + "]}]", id="digits"),
        pytest.param('[{"mask": "' + "Pj4+" * 125_000, id="base64 loop"),
        pytest.param(
            '{"box_2d": [1, 2, 3, 4], "label": "boat",},' * 12_000, id="boats"
        ),
        pytest.param('{"label": ' + "a:b," * 24_000 + "}", id="bare keys"),
        pytest.param("```json\n" * 60_000, id="fences"),
        pytest.param("\n: " * 150_000, id="colons"),
        pytest.param("[ " * 200_000 + "]", id="spaces"),
    ],
)
def test_no_text_takes_long(text: str) -> None:
    """Half a megabyte of hostile text is read in well under a second or two."""
    start = time.perf_counter()
    find_items(text)
    assert time.perf_counter() - start < 2


def test_a_number_of_thousands_of_digits_is_dropped() -> None:
    """Runaway digits cost their own item and nothing else."""
    runaway = '{"box_2d": [1, 2, 3, ' + "4" * 6000 + '], "label": "a"}'
    found = find_items(f"[{json.dumps(CUP)}, {runaway}, {json.dumps(CAT)}]")
    assert [v for v in values(found) if v in (CUP, CAT)] == [CUP, CAT]
