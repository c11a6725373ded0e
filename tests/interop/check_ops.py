"""Functional models with keras.ops directly in them: tenon predicts what Keras does and saves them again, and Keras opens that.

usage: check_ops.py TENON WORK
"""

import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "src/nn/testdata"))
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import make_op_cases as cases
import numpy as np

tenon, work = sys.argv[1], pathlib.Path(sys.argv[2])
work.mkdir(parents=True, exist_ok=True)
failures = 0


def check(what, got, wanted):
    global failures
    good = got.shape == wanted.shape and bool(np.all(np.abs(got - wanted) <= 1e-5 + 1e-5 * np.abs(wanted)))
    failures += not good
    if not good:
        print(f"FAIL keras.ops {what}: {got.ravel()[:6]}, want {wanted.ravel()[:6]}")


np.savez(work / "inputs.npz", **dict(zip("xwn", cases.inputs())))
for name in cases.CASES:
    path, again = work / "model.keras", work / "again.keras"
    model = cases.model_of(name)
    model.save(path)
    wanted = np.asarray(model(cases.inputs()))
    model.save(work / "model.h5")
    for source in (path, work / "model.h5"):
        subprocess.run([tenon, "predict", source, "--input", work / "inputs.npz", "--output", work / "y.npy", "--quiet"], check=True)
        check(f"{name}, predicted from {source.name}", np.load(work / "y.npy"), wanted)
    subprocess.run([tenon, "convert", path, again, "--quiet"], check=True)
    check(f"{name}, saved again", np.asarray(keras.models.load_model(again)(cases.inputs())), wanted)
print(f"{'FAILED' if failures else 'passed'}: {len(cases.CASES)} models with keras.ops, {keras.__version__}")
sys.exit(1 if failures else 0)
