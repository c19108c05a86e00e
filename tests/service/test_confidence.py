"""Probabilities come from a calibration made for this encoder and this search, or not at all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from knowledge.encoder import OnnxEncoder
from knowledge.retrieval import RANKING
from service.answering.confidence import (
    FEATURES,
    GUIDANCE,
    LAW,
    LEGAL,
    Calibration,
    CalibrationMismatch,
    Logistic,
    candidate_features,
    shipped_calibration,
)
from service.answering.draft import Draft
from service.answering.pipeline import Pipeline
from service.assembly import Rooms
from service.errors import NotReady
from tests.conftest import settings_for

ON = date(2026, 11, 26)


def test_the_shipped_calibration_is_for_the_shipped_encoder_and_search(
    encoder: OnnxEncoder,
) -> None:
    calibration = Calibration.load(shipped_calibration(), encoder=encoder.version, ranking=RANKING)
    assert set(calibration.legal.weights) == set(LEGAL)
    assert set(calibration.guidance.weights) == set(GUIDANCE)
    assert set(calibration.law.weights) == set(LAW)
    floors = calibration.floors
    assert 0 < floors.off_topic <= floors.legal < 1
    assert 0 < floors.law < 1
    assert 0 < floors.guidance < 1


@pytest.mark.parametrize("changed", ["encoder", "ranking", "features"])
def test_a_calibration_for_anything_else_is_refused_loudly(
    encoder: OnnxEncoder, tmp_path: Path, changed: str
) -> None:
    stored = json.loads(shipped_calibration().read_text("utf-8"))
    assert stored["made_for"] == {
        "encoder": encoder.version, "ranking": RANKING, "features": FEATURES,
    }  # fmt: skip
    stored["made_for"][changed] = "another"
    path = tmp_path / "calibration.json"
    path.write_text(json.dumps(stored), "utf-8")
    with pytest.raises(CalibrationMismatch, match=changed):
        Calibration.load(path, encoder=encoder.version, ranking=RANKING)


def test_a_calibration_of_the_features_before_the_third_way_is_refused(
    encoder: OnnxEncoder, tmp_path: Path
) -> None:
    stored = json.loads(shipped_calibration().read_text("utf-8"))
    stored["made_for"]["features"] = "4"
    for name in ("weights", "mean", "scale"):
        del stored["models"]["guidance"][name]["third"]
    path = tmp_path / "calibration.json"
    path.write_text(json.dumps(stored), "utf-8")
    with pytest.raises(CalibrationMismatch, match="features=4"):
        Calibration.load(path, encoder=encoder.version, ranking=RANKING)


def test_an_answer_fits_more_surely_where_several_of_its_ways_of_asking_are_near(
    pipeline: Pipeline, rooms: Rooms
) -> None:
    draft = pipeline.answer("公司拖欠工资怎么办").draft
    candidate = draft.candidates[0]
    model, found = rooms.calibration.guidance, candidate_features(draft, candidate)
    assert found["third"] == candidate.hit.third
    assert 0.5 < found["third"] < candidate.hit.cosine
    alone = found | {"third": found["third"] - 0.3}
    assert model.probability(alone) < model.probability(found)


def test_without_a_calibration_that_fits_the_service_does_not_start(
    prepared_home: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.symlink_to(prepared_home)
    own = tmp_path / "own"
    own.mkdir()
    for entry in prepared_home.iterdir():
        (own / entry.name).symlink_to(entry)
    stored = json.loads(shipped_calibration().read_text("utf-8"))
    stored["made_for"]["encoder"] = "another"
    (own / "calibration.json").write_text(json.dumps(stored), "utf-8")
    rooms = Rooms(settings_for(own))
    with pytest.raises(NotReady, match="consult calibrate"):
        _ = rooms.calibration
    rooms.close()
    done = subprocess.run(
        [sys.executable, "-m", "service", "ask", "离婚怎么办"],
        env={**os.environ, "CONSULT_HOME": str(own)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert "consult calibrate" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_more_of_a_good_sign_is_never_less_sure() -> None:
    model = Logistic(0.0, {"law": 2.0}, {"law": 0.5}, {"law": 0.1})
    rising = [model.probability({"law": x / 10}) for x in range(11)]
    assert rising == sorted(rising)
    assert model.probability({"law": 1e9}) <= 1.0
    assert model.probability({"law": -1e9}) >= 0.0


def test_what_was_not_found_is_never_trusted(encoder: OnnxEncoder) -> None:
    calibration = Calibration.load(shipped_calibration(), encoder=encoder.version, ranking=RANKING)
    p = calibration.of(Draft(raw="", on=ON, region="310107"))
    assert (p.legal, p.guidance, p.law) == (0.0, 0.0, 0.0)


def test_every_answer_names_its_calibration(pipeline: Pipeline) -> None:
    stored = json.loads(shipped_calibration().read_text("utf-8"))
    assert pipeline.answer("公司拖欠工资怎么办").versions["calibration"] == stored["version"]


def test_the_stored_calibration_says_how_it_was_made_and_how_good_it_is() -> None:
    stored = json.loads(shipped_calibration().read_text("utf-8"))
    assert stored["command"].startswith("consult calibrate")
    for name in ("legal", "guidance", "law"):
        measured = stored["measured_by_folds"][name]
        assert measured["n"] > 300
        assert measured["calibration_error"] < 0.08
        assert measured["auroc"] > 0.75
