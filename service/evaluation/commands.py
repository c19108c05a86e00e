"""`consult eval …`: each quality is a command. Figures are one JSON object, the last line.

Each run is kept and compared with the one before it, and `--check` holds it to its floors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer
from sqlalchemy.orm import Session, sessionmaker

from knowledge import store
from service import logging as service_logging
from service.assembly import Rooms
from service.evaluation import floors, runs
from service.models import Base
from service.settings import Settings
from service.terminal import print_json, progress_bars, screen

evaluations = typer.Typer(help="测量质量", no_args_is_help=True)

Check = Annotated[bool, typer.Option("--check", help="低于底线时退出码为 1")]
Questions = Annotated[Path | None, typer.Option(exists=True, help="另一套题目（JSONL）")]
Articles = Annotated[Path | None, typer.Option(exists=True, help="评测条文（JSONL，可压缩）")]
Vectors = Annotated[Path | None, typer.Option(exists=True, help="条文的现成向量（npy）")]


@contextmanager
def _rooms() -> Iterator[Rooms]:
    settings = Settings()
    service_logging.configure(settings.log_level, as_json=settings.log_json)
    rooms = Rooms(settings)
    with progress_bars() as progress:
        rooms.prepare(progress)
    yield rooms
    rooms.close()


@contextmanager
def _counts_aside() -> Iterator[sessionmaker[Session]]:
    """Where the calls of a scripted model are counted: it costs nothing, and must not use up what
    the site may spend in a day."""
    with TemporaryDirectory() as folder:
        engine = store.connect(f"sqlite:///{folder}/counts.db")
        Base.metadata.create_all(engine, tables=[Base.metadata.tables["model_counts"]])
        yield sessionmaker(engine)
        engine.dispose()


def _report(
    rooms: Rooms, name: str, cases: tuple[Path, ...], figures: dict[str, Any], *, check: bool
) -> None:
    """Show what changed since the last run over the same cases, keep this one, check, print."""
    kept = runs.Runs(rooms.settings.home)
    about = runs.fingerprint(*cases)
    before = kept.last(name, about)
    if before:
        lines = runs.changes(before.figures, figures) or ["没有变化"]
        screen.print(f"与 {before.ran_at} 相比：\n  " + "\n  ".join(lines), markup=False)
    kept.keep(name, about, {"encoder": rooms.encoder.version}, figures)
    missed = floors.missed(name, figures) if check else []
    for line in missed:
        screen.print(line, style="red", markup=False)
    print_json(figures)
    if missed:
        raise typer.Exit(1)


@evaluations.command("retrieval")
def eval_retrieval(
    questions: Questions = None,
    articles: Articles = None,
    vectors: Vectors = None,
    run_file: Annotated[Path | None, typer.Option(help="另存 TREC 格式的排序结果")] = None,
    check: Check = False,
) -> None:
    """检索：R@k、MRR@10、nDCG@10。默认用自编题测本库；也可以给一套题目和条文。"""
    from service.evaluation import benchmark, doubt, retrieval

    if (questions is None) != (articles is None):
        raise typer.BadParameter("--questions 和 --articles 要一起给")
    with _rooms() as rooms, progress_bars() as progress:
        if questions and articles:
            lines = list(benchmark.read_lines(questions, "question", "relevant"))
            asked = [line["question"] for line in lines]
            relevant = [set(line["relevant"]) for line in lines]
            opened = benchmark.open_benchmark(articles, vectors, rooms.encoder, progress)
            with opened as retriever:
                figures = retrieval.evaluate(
                    retriever, asked, relevant, benchmark.ON, progress, run_file
                )
            _report(rooms, "retrieval_benchmark", (questions, articles), figures, check=check)
            return
        on = store.today_in_china()
        own = doubt.of_kind(doubt.read_own(rooms.laws, on, "report"), "legal")
        with rooms.retriever() as retriever:
            figures = retrieval.evaluate(
                retriever, [j.question for j in own], [j.articles for j in own], on,
                progress, run_file,
            )  # fmt: skip
        _report(rooms, "retrieval", (doubt.shipped_cases(),), figures, check=check)


@evaluations.command("topics")
def eval_topics(
    questions: Questions = None,
    real: Annotated[
        Path | None, typer.Option(help="评测数据的 qa_pairs：没有学过的真实提问")
    ] = None,
    check: Check = False,
) -> None:
    """主题：准确率、宏平均 F1、混淆表。题目每行 question、topic；别的分类法用交叉验证。"""
    from service.evaluation import behaviours, benchmark, filing, topics

    if questions and real:
        raise typer.BadParameter("--questions 和 --real 只能给一个")
    if real:
        kept_back = filing.real_lines(real, kept_back=True)
        with _rooms() as rooms:
            figures = topics.evaluate_real(kept_back, rooms.topics, rooms.encoder)
            _report(rooms, "topics_real", (real,), figures, check=check)
        return
    path = questions or behaviours.shipped_cases()
    needed = ("question", "topic") if questions else ("question",)
    lines = [line for line in benchmark.read_lines(path, *needed) if line.get("topic")]
    with _rooms() as rooms:
        figures = topics.evaluate(
            [line["question"] for line in lines],
            [line["topic"] for line in lines],
            rooms.topics,
            rooms.encoder,
        )
        name = "topics" if figures["measured_by"] == "shipped" else "topics_folds"
        _report(rooms, name, (path,), figures, check=check)


@evaluations.command("abstention")
def eval_abstention(
    questions: Questions = None,
    articles: Articles = None,
    vectors: Vectors = None,
    check: Check = False,
) -> None:
    """知道自己不知道：覆盖率、准确率、AUROC、校准误差，无关问题被作答的比例。"""
    from service.evaluation import abstention, behaviours, benchmark, doubt

    if articles is not None and questions is None:
        raise typer.BadParameter("给了 --articles 就要给 --questions")
    with _rooms() as rooms, progress_bars() as progress:
        on = store.today_in_china()
        own = doubt.read_own(rooms.laws, on, "report")
        if questions is None:
            with rooms.pipeline() as pipeline:
                lines = [*own, *doubt.read_asked("report")]
                figures = abstention.evaluate(pipeline, lines, on, progress)
            paths = (doubt.shipped_cases(), behaviours.shipped_cases())
            _report(rooms, "abstention", paths, figures, check=check)
            return
        outside = doubt.of_kind(own, "outside")
        if articles is None:
            judged = doubt.read_by_label(questions, rooms.laws, on)
            with rooms.pipeline() as pipeline:
                figures = abstention.evaluate(pipeline, [*judged, *outside], on, progress)
            _report(rooms, "abstention_own_law", (questions,), figures, check=check)
            return
        with benchmark.open_benchmark(
            articles, vectors, rooms.encoder, progress, rooms.library
        ) as retriever:
            judged = doubt.read_benchmark(questions, retriever.library)
            pipeline = rooms.pipeline_over(retriever)
            figures = abstention.evaluate(pipeline, [*judged, *outside], benchmark.ON, progress)
        _report(rooms, "abstention_benchmark", (questions, articles), figures, check=check)


@evaluations.command("citations")
def eval_citations(questions: Questions = None, check: Check = False) -> None:
    """引用核对：误判为有效、漏掉、判错、多认各有几处。"""
    from service.evaluation import citations

    path = questions or citations.shipped_cases()
    with _rooms() as rooms:
        figures = citations.evaluate(rooms.laws, path, store.today_in_china())
        _report(rooms, "citations", (path,), figures, check=check)


@evaluations.command("urgent")
def eval_urgent(
    questions: Questions = None,
    split: Annotated[str, typer.Option(help="自编题的哪一部分：test、unseen、calib、dev")] = "test",
    check: Check = False,
) -> None:
    """危险识别：找出多少，误报多少；默认用没有学过、两人标得一致的一部分。"""
    from service.evaluation import urgent

    path = questions or urgent.shipped_cases()
    with _rooms() as rooms:
        figures = urgent.evaluate(path, None if questions else split)
        if not figures["n"]:
            raise typer.BadParameter(f"没有这一部分的题：{split}")
        name = "urgent" if split == "test" else f"urgent_{split}"
        _report(rooms, name, (path,), figures, check=check)


@evaluations.command("harm")
def eval_harm(questions: Questions = None, check: Check = False) -> None:
    """求教做坏事的：拒绝了多少，错拒了多少。"""
    from service.evaluation import harm

    path = questions or harm.shipped_cases()
    with _rooms() as rooms:
        _report(rooms, "harm", (path,), harm.evaluate(path), check=check)


@evaluations.command("behaviours")
def eval_behaviours(questions: Questions = None, check: Check = False) -> None:
    """从头到尾：各类问题（法律、服务、闲聊、无关、危险……）是否以该有的方式收尾。"""
    from service.evaluation import behaviours

    path = questions or behaviours.shipped_cases()
    with _rooms() as rooms, rooms.pipeline() as pipeline, progress_bars() as progress:
        figures = behaviours.evaluate(pipeline, path, progress)
        _report(rooms, "behaviours", (path,), figures, check=check)


@evaluations.command("answers")
def eval_answers(
    questions: Questions = None,
    character: Annotated[
        str, typer.Option(help="不用配置的模型，用一个脚本模型试：truthful、inventing、injected……")
    ] = "",
    judge: Annotated[str, typer.Option(help="评判用的模型名称（同一个接口）；空为不评判")] = "",
    limit: Annotated[int, typer.Option(min=1, help="最多问几个，从头到尾均匀地取")] = 300,
    red_team: Annotated[bool, typer.Option("--red-team", help="改用自带的攻击题")] = False,
    check: Check = False,
) -> None:
    """语言模型写的回答：写成多少，丢掉多少、为什么，有没有无出处的内容，多用多少时间。"""
    from service.evaluation import answers, behaviours, characters, judging
    from service.model.endpoint import connect, open_writer

    if character and character not in characters.CHARACTERS:
        raise typer.BadParameter(f"脚本模型有：{'、'.join(characters.CHARACTERS)}")
    path = answers.red_team_cases() if red_team else questions or behaviours.shipped_cases()
    with (
        _rooms() as rooms,
        rooms.pipeline() as pipeline,
        progress_bars() as progress,
        ExitStack() as aside,
    ):
        scripted = characters.Character(character=character) if character else None
        settings, sessions = rooms.settings, rooms.sessions
        if scripted:
            free = {"model_daily_calls": 0, "model_daily_tokens": 0}
            settings = settings.model_copy(update=free)
            sessions = aside.enter_context(_counts_aside())
        writer = open_writer(settings, sessions, lambda: rooms.laws, scripted)
        if writer is None:
            raise typer.BadParameter("没有配置语言模型（CONSULT_MODEL_NAME），也没有给 --character")
        if red_team:
            figures = answers.red_team(pipeline, writer, path, progress)
            _report(rooms, "answers_red_team", (path,), figures, check=check)
            return
        by = None
        if judge:
            by = judging.Judge(connect(rooms.settings, judge), rooms.settings.region_name)
        asked = answers.some_of(path, limit)
        figures = answers.evaluate(pipeline, writer, asked, progress, by)
        if by:
            figures["agreement"] = judging.agreement(rooms.sessions, by.finds_good, most=limit)
        _report(rooms, answers.name_of(character), (path,), figures, check=check)
