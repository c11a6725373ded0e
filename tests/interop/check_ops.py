"""Functional models with keras.ops directly in them: tenon predicts what Keras does and saves them again, and Keras opens that.

usage: check_ops.py TENON WORK
"""

import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "src/nn/testdata"))
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import checks
import keras
import make_op_cases as cases
import numpy as np

tenon, work = sys.argv[1], pathlib.Path(sys.argv[2])
work.mkdir(parents=True, exist_ok=True)


def check(what, got, wanted):
    if not checks.difference(got, wanted, relative=True) <= 1e-5:
        checks.check(f"keras.ops {what}", False, f"{got.ravel()[:6]}, want {wanted.ravel()[:6]}")


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
checks.finish(f"{len(cases.CASES)} models with keras.ops, {keras.__version__}")
