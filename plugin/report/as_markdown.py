"""`Report` -> Markdown, for a pull request or a wiki: all but the pictures."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence

from .content import (
    Block,
    Chapter,
    Example,
    Fact,
    Headline,
    KindChapter,
    Report,
    Table,
)
from .texts import interval, moment, number, shortened


def to_markdown(report: Report) -> str:
    """Lay out a report as GitHub Markdown; every text is escaped."""
    lines = [f"# {_plain(report.title)}", "", f"Made {moment(report.made)}.", ""]
    if report.compared:
        lines += ["## Comparison", ""]
    for block in report.compared:
        lines += _block_lines(block)
    for chapter in report.chapters:
        lines += _chapter(chapter)
    for kind in report.kinds:
        lines += _kind_chapter(kind)
    if report.notes:
        lines += ["## How to reproduce", "", *map(_block, report.notes)]
    return "\n".join(lines).rstrip() + "\n"


def _chapter(chapter: Chapter) -> Iterator[str]:
    metrics = chapter.section.scores.all
    yield from (f"## {_plain(chapter.section.title)}", "")
    if chapter.banner:
        yield from (f"> **{chapter.banner}.**", "")
    yield f"{metrics.images} images, {metrics.objects} true objects."
    yield from ("", "### Headline numbers", "")
    yield from (f"Compared by their {chapter.compared_by}.", "")
    rows = [
        (f"**{h.name}**", _with_interval(h), number(h.answered), _plain(h.meaning))
        for h in chapter.headlines
    ]
    yield from _rows(("", "all images", "answered images", ""), rows)
    yield from (f"- {_plain(remark)}" for remark in chapter.remarks)
    yield from ("", "### Images by status", "", *_facts(chapter.statuses))
    yield from ("### Classes, worst F1 first", "", *_table(chapter.classes))
    for block in chapter.blocks:
        yield from _block_lines(block)
    yield from ("### All numbers", "", *_table(chapter.coco))
    yield from ("### Images with most errors", "", *_examples(chapter.examples))
    if chapter.asked:
        yield from ("### What was asked", "", *_facts(chapter.asked))
    if chapter.prompt:
        yield from ("### Prompt", "", _block(chapter.prompt))


def _kind_chapter(chapter: KindChapter) -> Iterator[str]:
    scores = chapter.section.scores
    yield from (f"## {_plain(chapter.section.title)}", "")
    if chapter.banner:
        yield from (f"> **{chapter.banner}.**", "")
    yield f"{scores.items} items, labels of the kind {scores.kind.value}."
    yield from ("", "### Headline numbers", "")
    rows = [
        (f"**{h.name}**", _with_interval(h), number(h.answered), _plain(h.meaning))
        for h in chapter.headlines
    ]
    yield from _rows(("", "all items", "answered items", ""), rows)
    yield from (f"- {_plain(remark)}" for remark in chapter.remarks)
    yield from ("", "### Items by status", "", *_facts(chapter.statuses))
    for block in chapter.blocks:
        yield from _block_lines(block)
    if chapter.examples:
        yield from ("### Items that are wrong, the worst first", "")
        worst = [
            tuple(
                _plain(text)
                for text in (
                    e.name,
                    e.verdict.status.value,
                    number(e.verdict.score),
                    shortened(e.verdict.truth),
                    shortened(e.verdict.said),
                )
            )
            for e in chapter.examples
        ]
        yield from _rows(("Item", "Status", "Right", "Truth", "Said"), worst)
    if chapter.asked:
        yield from ("### What was asked", "", *_facts(chapter.asked))
    if chapter.prompt:
        yield from ("### Prompt", "", _block(chapter.prompt))


def _with_interval(headline: Headline) -> str:
    return f"{number(headline.value)} {interval(headline.interval)}".rstrip()


def block_markdown(blocks: Sequence[Block]) -> str:
    """Lay out blocks under small titles, without charts; every text is escaped."""
    lines = [line for block in blocks for line in _block_lines(block, "**{}**")]
    return "\n".join(lines)


def _block_lines(block: Block, title: str = "### {}") -> Iterator[str]:
    """Write a block without its charts."""
    yield from (title.format(_plain(block.title)), "")
    for text in block.texts:
        yield from (_plain(text), "")
    if block.table:
        yield from _table(block.table)


def _facts(facts: Sequence[Fact]) -> Iterator[str]:
    yield from (f"- **{_plain(fact.name)}**: {_plain(fact.text)}" for fact in facts)
    yield ""


def _examples(examples: Sequence[Example]) -> Iterator[str]:
    columns = ("image", "status", "right", "invented", "missed")
    rows = [
        (_plain(e.name), e.status.value, f"{e.right}", f"{e.invented}", f"{e.missed}")
        for e in examples
    ]
    yield from _rows(columns, rows)


def _table(table: Table) -> Iterator[str]:
    rows = [[_plain(cell.text) for cell in row] for row in table.rows]
    yield from _rows([_plain(name) for name in table.columns], rows)


def _rows(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    for row in (columns, ["---"] * len(columns), *rows):
        yield f"| {' | '.join(row)} |"
    yield ""


def _plain(text: str) -> str:
    """Escape what Markdown, or HTML inside it, would take for markup."""
    one_line = html.escape(" ".join(text.split()), quote=False)
    return re.sub(r"([\\`*_\[\]|~#])", r"\\\1", one_line)


def _block(text: str) -> str:
    """Fence text off, by more backticks than it contains itself."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}\n"
