"""`consult`: everything operational, for people and for other tools."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from knowledge import store
from service import logging as service_logging
from service.assembly import Rooms
from service.conversations import Desk
from service.errors import ServiceError
from service.evaluation.commands import evaluations
from service.model.endpoint import open_writer
from service.settings import Settings
from service.staff_commands import staff
from service.terminal import print_json, progress_bars, screen
from service.wechat_commands import simulate, wechat
from service.words_commands import words

cli = typer.Typer(
    help="普陀区公共法律咨询助手", no_args_is_help=True, pretty_exceptions_enable=False
)
cli.add_typer(evaluations, name="eval")
cli.add_typer(staff, name="staff")
cli.add_typer(words, name="words")
cli.add_typer(wechat, name="wechat")
cli.command("wechat-sim")(simulate)


def _settings() -> Settings:
    settings = Settings()
    service_logging.configure(settings.log_level, as_json=settings.log_json)
    return settings


def _prepare(rooms: Rooms) -> None:
    with progress_bars() as progress:
        rooms.prepare(progress)


@cli.command()
def serve() -> None:
    """启动服务：升级数据库，首次运行时装入随附内容并建立索引。"""
    import uvicorn

    from service.app import create_app

    settings = _settings()
    rooms = Rooms(settings)
    _prepare(rooms)
    screen.print(f"准备就绪：http://{settings.host}:{settings.port}")
    uvicorn.run(
        create_app(rooms),
        host=settings.host,
        port=settings.port,
        log_level="warning",
        timeout_graceful_shutdown=5,
        forwarded_allow_ips=settings.trusted_proxies,
    )


@contextmanager
def _desk() -> Iterator[Desk]:
    settings = _settings()
    rooms = Rooms(settings)
    _prepare(rooms)
    with rooms.pipeline() as pipeline:
        yield Desk(
            rooms.sessions,
            pipeline,
            channel="cli",
            longest=settings.max_question_chars,
            writer=open_writer(settings, rooms.sessions, lambda: rooms.laws),
        )
    rooms.close()


@cli.command()
def ask(
    question: Annotated[list[str] | None, typer.Argument(help="问题")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="输出一个 JSON 对象")] = False,
    batch: Annotated[
        Path | None, typer.Option(help="JSONL 文件，每行 question、as_of、region")
    ] = None,
    as_of: Annotated[str | None, typer.Option(help="按哪一天的法律，如 2026-11-26")] = None,
    region: Annotated[str | None, typer.Option(help="行政区划代码，如 310107")] = None,
) -> None:
    """问一个问题，或用 --json --batch 一次问一个文件。"""
    if (batch is None) == (not question):
        screen.print("请给出一个问题，或者用 --batch 给出一个文件。")
        raise typer.Exit(2)
    with _desk() as desk:
        if batch is not None:
            _ask_batch(desk, batch)
            return
        line = {"question": " ".join(question or []), "as_of": as_of, "region": region}
        answer = _ask_one(desk, line)
        if as_json:
            print_json(answer)
        else:
            _print_answer(answer)
        if "error" in answer:
            raise typer.Exit(1)


def _ask_batch(desk: Desk, path: Path) -> None:
    for raw in path.read_text("utf-8").splitlines():
        if not raw.strip():
            continue
        try:
            line = json.loads(raw)
        except json.JSONDecodeError:
            line = None
        print_json(_ask_one(desk, line))


def _ask_one(desk: Desk, line: Any) -> dict[str, Any]:
    """One line of a batch; whatever is wrong with it becomes its own answer."""
    if not isinstance(line, dict) or not isinstance(line.get("question"), str):
        return {"error": {"code": "bad_line", "message": "这一行不是带有 question 的 JSON 对象。"}}
    try:
        on = date.fromisoformat(line["as_of"]) if line.get("as_of") else None
    except (TypeError, ValueError):
        return {"error": {"code": "bad_date", "message": "as_of 要写成 2026-11-26 这样的日期。"}}
    region = str(line["region"]) if line.get("region") else None
    if region is not None and not (region.isascii() and region.isdigit() and len(region) == 6):
        return {"error": {"code": "bad_region", "message": "region 要写成六位行政区划代码。"}}
    try:
        return desk.ask(line["question"], on=on, region=region)
    except ServiceError as error:
        return {"error": {"code": error.code, "message": error.message}}


_STEP_FIELDS = {
    "where": "地点",
    "phone": "电话",
    "hours": "时间",
    "fee": "费用",
    "deadline": "期限",
}


def _print_answer(answer: dict[str, Any]) -> None:
    """An answer as a person reads it in a terminal."""
    out = Console(highlight=False)
    if "error" in answer:
        screen.print(answer["error"]["message"])
        return
    if answer["caution"]:
        out.print(f"[bold]{answer['caution']}[/bold]\n")
    out.print(answer["summary"], markup=False)
    for notice in answer["notices"]:
        out.print(f"\n[bold]注意[/bold] {notice}")
    if answer["handover"]:
        for target in answer["handover"]["targets"]:
            out.print(
                f"\n[bold]{target['title']}[/bold]  {target['phone'] or target['where'] or ''}"
            )
    for step in answer["steps"]:
        out.print(f"\n[bold]下一步：{step['title']}[/bold]\n{step['how']}")
        for name, label in _STEP_FIELDS.items():
            if step[name]:
                out.print(f"  {label}：{step[name]}")
        out.print(f"  来源：{step['source']}（核对日期 {step['checked_on']}）", style="dim")
    for citation in answer["citations"]:
        out.print(f"\n[bold]《{citation['law']}》{citation['article']}[/bold]")
        out.print(citation["text"], markup=False)
    if answer["clarify"]:
        out.print("\n您可以这样问：" + "；".join(answer["clarify"]))
    out.print(f"\n{answer['outcome']} · 把握 {answer['confidence']:.2f}", style="dim")


@cli.command()
def cite(
    text: Annotated[str, typer.Argument(help="要核对的文字")], as_of: str | None = None
) -> None:
    """核对一段文字里引用的每一条法律，输出 JSON。"""
    from knowledge import citations
    from knowledge.text import normalise

    rooms = Rooms(_settings())
    _prepare(rooms)
    on = date.fromisoformat(as_of) if as_of else store.today_in_china()
    print_json(citations.to_json(rooms.laws.check_text(normalise(text), on)))
    rooms.close()


@cli.command()
def ingest(
    paths: Annotated[list[Path], typer.Argument(help="法规 Markdown 文件或文件夹", exists=True)],
    publish: Annotated[bool, typer.Option(help="导入后直接发布（须另一人复核）")] = False,
    author: Annotated[str, typer.Option(help="编写人")] = "cli",
    approver: Annotated[str, typer.Option(help="复核人，不能是编写人")] = "",
) -> None:
    """把文件导入为草稿，并报告新增、修改、未变、撤下和问题。"""
    from ingest import publication, shipped
    from knowledge.lifecycle import IllegalMove

    rooms = Rooms(_settings())
    _prepare(rooms)
    try:
        with rooms.sessions.begin() as session:
            for path in paths:
                report = shipped.ingest_path(session, path)
                if publish:
                    publication.publish(session, report.origin, author=author, approver=approver)
                typer.echo(str(report))
    except IllegalMove as error:
        screen.print(str(error))
        raise typer.Exit(1) from error
    if publish:
        with progress_bars() as progress:
            rooms.build_index(progress)
    rooms.close()


@cli.command("index")
def rebuild() -> None:
    """重建索引：在旁边建好再切换，期间旧索引照常服务。"""
    rooms = Rooms(_settings())
    with progress_bars() as progress:
        rooms.prepare(progress)
        manifest = rooms.build_index(progress)
    rows = {shelf: len(ids) for shelf, ids in manifest.rows.items()}
    print_json({"generation": manifest.generation, "rows": rows})
    rooms.close()


@cli.command()
def doctor() -> None:
    """检查数据库、知识库与索引是否一致，输出 JSON；有问题时退出码为 1。"""
    from service.doctor import examine

    rooms = Rooms(_settings())
    findings = examine(rooms)
    print_json(findings)
    rooms.close()
    if findings["problems"]:
        raise typer.Exit(1)


@cli.command("backup")
def back_up(
    target: Annotated[Path, typer.Argument(help="写到哪个文件，如 备份-2026-12-01.zip")],
) -> None:
    """把数据库和本处的文件备份成一个文件，服务不用停；里面有密钥和市民的话，请妥善保管。"""
    from service.backup import backup

    print_json(backup(_settings(), target))


@cli.command("restore")
def restore_from(source: Annotated[Path, typer.Argument(help="备份文件")]) -> None:
    """从备份恢复到空的数据目录；下次启动时自动重建索引。"""
    from service.backup import restore

    print_json(restore(_settings(), source))
    screen.print("已恢复。用 consult serve 启动，索引会自动重建。")


@cli.command()
def calibrate(
    bench: Annotated[
        Path | None,
        typer.Option(help="评测数据目录：statute_calib、articles、articles_vectors 和 qa_pairs"),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="写到哪里，默认数据目录")] = None,
) -> None:
    """换了编码器或检索方式之后，重新拟合主题和把握，并按目标风险选定底线。"""
    from service.evaluation import calibrate as calibration

    rooms = Rooms(_settings())
    _prepare(rooms)
    with progress_bars() as progress:
        record = calibration.run(rooms, bench, out or rooms.settings.home, progress)
    print_json(record)
    rooms.close()
