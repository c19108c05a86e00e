"""The command line that other tools call."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from service.evaluation.metrics import ranking_metrics
from tests.conftest import SHARED


def consult(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the real command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "service", *arguments],
        env={"CONSULT_HOME": str(home), "PATH": "/usr/bin:/bin", "HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_one_question_as_json(home: Path) -> None:
    done = consult(home, "ask", "--json", "民法典第一千零七十九条")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["outcome"] == "answered_article"


def test_one_question_as_a_person_reads_it(home: Path) -> None:
    done = consult(home, "ask", "打官司没钱请律师怎么办")
    assert done.returncode == 0, done.stderr
    assert "法律援助" in done.stdout
    assert "下一步" in done.stdout


def test_a_batch_answers_every_line_in_order(home: Path, tmp_path: Path) -> None:
    lines = [
        json.dumps({"question": "商标法第四十八条", "as_of": "2027-01-01"}),
        "not json",
        json.dumps({"question": ""}),
        json.dumps({"question": "你好", "region": "310107"}),
        json.dumps({"question": "离婚", "as_of": "某天"}),
        json.dumps(["list"]),
        json.dumps({"question": "婚姻法第三十二条"}),
    ]
    file = tmp_path / "q.jsonl"
    file.write_text("\n".join(lines), "utf-8")
    done = consult(home, "ask", "--json", "--batch", str(file))
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    outcomes = [a.get("outcome") or a["error"]["code"] for a in answers]
    assert outcomes == [
        "answered_article",
        "bad_line",
        "question_empty",
        "answered_smalltalk",
        "bad_date",
        "bad_line",
        "answered_repealed",
    ]


def test_citations_are_checked_from_the_command_line(home: Path) -> None:
    done = consult(home, "cite", "根据《民法典》第1254条、第9999条和婚姻法第三十二条")
    verdicts = [(c["article"], c["verdict"]) for c in json.loads(done.stdout)]
    assert verdicts == [
        ("第一千二百五十四条", "verified"),
        ("第九千九百九十九条", "no_such_article"),
        ("第三十二条", "not_in_force"),
    ]


def test_the_doctor_finds_a_healthy_home_healthy_and_a_broken_one_broken(home: Path) -> None:
    healthy = consult(home, "doctor")
    assert healthy.returncode == 0, healthy.stdout
    assert json.loads(healthy.stdout)["problems"] == []
    (home / "index" / "current").unlink()
    broken = consult(home, "doctor")
    assert broken.returncode == 1
    assert "consult index" in json.loads(broken.stdout)["problems"][0]


def test_metrics_count_questions_that_found_nothing() -> None:
    figures = ranking_metrics([["a", "b"], []], [{"b"}, {"c"}])
    assert figures["R@1"] == 0
    assert figures["R@5"] == 0.5
    assert figures["MRR@10"] == 0.25
    assert figures["nDCG@10"] == pytest.approx(0.3155, abs=1e-4)
    with pytest.raises(ValueError, match="parallel"):
        ranking_metrics([], [])


@pytest.mark.slow
@pytest.mark.skipif(not (SHARED / "bench").exists(), reason="the benchmark data is not here")
def test_retrieval_reaches_its_floors_on_the_benchmark(home: Path) -> None:
    bench = SHARED / "bench"
    done = consult(
        home,
        "eval",
        "retrieval",
        "--questions",
        str(bench / "statute_test.jsonl"),
        "--articles",
        str(bench / "articles.jsonl.gz"),
        "--vectors",
        str(bench / "articles_vectors.npy"),
        "--check",
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["n"] == 309


@pytest.mark.slow
def test_killed_in_the_middle_of_a_rebuild_the_old_index_answers(home: Path) -> None:
    before = (home / "index" / "current").read_text()
    rebuild = subprocess.Popen(
        [sys.executable, "-m", "service", "index"],
        env={"CONSULT_HOME": str(home), "PATH": "/usr/bin:/bin", "HOME": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    for _ in range(600):
        if list((home / "index").glob("building-*/bm25-*")) or rebuild.poll() is not None:
            break
        time.sleep(0.1)
    assert rebuild.poll() is None, "the rebuild ended before it could be killed"
    rebuild.kill()
    rebuild.wait(30)
    assert list((home / "index").glob("building-*"))
    assert (home / "index" / "current").read_text() == before
    done = consult(home, "ask", "--json", "民法典第一千零七十九条")
    assert json.loads(done.stdout)["outcome"] == "answered_article"
