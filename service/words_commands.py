"""`consult words …`: see, check, import and export the tables of sensitive words."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from service.answering import sensitive, wordlist
from service.settings import Settings
from service.terminal import print_json, screen

words = typer.Typer(help="敏感词表：查看、检查、导入、导出", no_args_is_help=True)

File = Annotated[Path, typer.Argument(help="词表文件（CSV）", exists=True, dir_okay=False)]
Category = Annotated[str | None, typer.Option(help="类别，如 辱骂、诈骗引流")]


def _own() -> Path:
    return Settings().words_file


@words.command("list")
def list_words(category: Category = None) -> None:
    """列出现在生效的词，一行一个：编号、词、类别、处置、说明。编号就是回答记录里的 row。"""
    rows = wordlist.layered(wordlist.read_if_there(_own())).values()
    chosen = [row for row in rows if category in (None, row.category)]
    for row in chosen:
        sys.stdout.write("\t".join((row.id, row.word, row.category, row.action, row.note)) + "\n")
    screen.print(f"共 {len(chosen)} 行")


@words.command("check")
def check_words(file: File) -> None:
    """检查一个词表文件，说出哪一行要改；有问题时退出码为 1。"""
    rows = wordlist.read(file)
    screen.print(f"{file.name} 没有问题，共 {len(rows)} 个词。")


@words.command("import")
def import_words(
    file: File,
    category: Category = None,
    action: Annotated[
        str | None, typer.Option(help="没有列名、每行一个词的文件，按这个处置导入")
    ] = None,
) -> None:
    """检查后并入数据目录的词表：新词加上，旧词按新的改；再导一次没有变化。"""
    default = (category, action) if category and action else None
    own = wordlist.read_if_there(_own())
    rows, added, changed = wordlist.merged(own, wordlist.read(file, default))
    if added or changed:
        wordlist.write(_own(), rows.values())
        screen.print(f"新增 {added} 个词，修改 {changed} 个词。正在运行的服务会自动换用新表。")
    else:
        screen.print("没有变化。")


@words.command("export")
def export_words(file: Annotated[Path, typer.Argument(help="写到哪里", dir_okay=False)]) -> None:
    """把现在生效的整张词表写成 CSV，可以改好再导入。"""
    rows = wordlist.layered(wordlist.read_if_there(_own()))
    wordlist.write(file, rows.values())
    screen.print(f"已写出 {len(rows)} 个词。")


@words.command("test")
def test_words(text: Annotated[str, typer.Argument(help="要试的话")]) -> None:
    """看一句话会碰到哪些词、怎么处置，输出 JSON。"""
    table = sensitive.Table(wordlist.layered(wordlist.read_if_there(_own())))
    found = table.find(text)
    print_json(
        {
            "hits": [
                {
                    "word": hit.row.word,
                    "category": hit.row.category,
                    "listed": hit.row.action,
                    "action": hit.action,
                    "row": hit.row.id,
                    "at": [hit.start, hit.end],
                }
                for hit in found
            ],
            "shown": sensitive.masked(text, found),
            "searched": sensitive.without_insults(text, found),
            "refused": any(hit.action == "refuse" for hit in found),
        }
    )
