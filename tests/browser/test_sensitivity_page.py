"""The page of a sensitivity in a real Chromium, offline: every part is drawn without a complaint; text stays text."""

from __future__ import annotations

import re
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures

from landform.report import page
from landform.sensitivity import sensitivity
from landform.sensitivity.record import record

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="needs chromium, chromium-browser or google-chrome")


def seen(results, folder):
    path = folder / "report.html"
    path.write_text(page(results), encoding="utf-8")
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=4000", "--dump-dom"]
    done = subprocess.run([*command, path.as_uri()], capture_output=True, text=True, timeout=120, check=False)
    return done.stdout


@pytest.mark.parametrize("with_target", [True, False])
def test_every_part_is_drawn(tmp_path, with_target):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.uniform(size=(40, 3)), columns=["<b>a</b>", "b", "level"]).round(3)
    X["level"] = (X["level"] > 0.5).astype(float)
    y = np.column_stack([X["b"] * X["<b>a</b>"], X["b"] ** 2]) + 0.01 * rng.normal(size=(40, 2))
    model = make_pipeline(PolynomialFeatures(2, include_bias=False), LinearRegression()).fit(X, y)
    found = sensitivity(model, X, y=y if with_target else None, categories=["level"])
    source = {"file": "<i>data</i>.csv", "model": "m.joblib", "words": "a pipeline", "rows": list(range(2, 42))}
    dom = seen(record(found, source), tmp_path)
    assert 'data-drawn="yes"' in dom
    assert "data-error" not in dom
    body = dom[dom.index("<main") : dom.index("</main>")]
    assert re.findall(r'<section id="(\w+)"', body) == ["answer", "effects", "rows", "pairs", "traces", "methods"]
    assert "<b>a</b>" not in body
    assert "<i>data" not in body
    assert not re.search(r"NaN|undefined|Infinity|\[object", body)
    assert body.count("whisker") > 0 if with_target else body.count('class="whisker"') <= 1  # one in the key
