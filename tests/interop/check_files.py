"""Models that the real Keras 2 and 3 saved, in every format: tenon opens each and saves it again in each; the real libraries open what
it saved, give the recorded outputs, and train on with the recorded losses. A model with a layer that tenon does not have is skipped.

usage: check_files.py TENON CORPUS WORK
"""

import json
import os
import pathlib
import subprocess
import sys
import warnings

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="0", CUDA_VISIBLE_DEVICES="")
import keras
import numpy as np
import tf_keras as keras2

warnings.simplefilter("ignore")
tenon, corpus, work = sys.argv[1], pathlib.Path(sys.argv[2]) / "files", pathlib.Path(sys.argv[3])
work.mkdir(parents=True, exist_ok=True)
counts = {"ok": 0, "FAIL": 0, "skip": 0}


def tell(outcome, what, why=""):
    counts[outcome] += 1
    if outcome != "ok" or "-v" in sys.argv:
        print(f"{outcome:4} {what}{': ' if why else ''}{why}", flush=True)


def compare(what, got, wanted, tolerance):
    got, wanted = (v if isinstance(v, (list, tuple)) else [v] for v in (got, wanted))
    worst = 0.0
    for a, b in zip(got, wanted):
        a, b = np.asarray(a, "float64"), np.asarray(b, "float64")
        allowed = tolerance["atol"] + tolerance["rtol"] * np.abs(b)
        worst = max(worst, float(np.max(np.abs(a - b) / allowed)) if a.shape == b.shape else np.inf)
    good = len(got) == len(wanted) and worst <= 1
    tell("ok" if good else "FAIL", what, "" if good else f"{worst:.3g} times the allowed difference")


def convert(source, target, *options):
    """None: it worked; else the message."""
    done = subprocess.run([tenon, "convert", source, target, "--quiet", *options], capture_output=True, text=True)
    return done.stderr if done.returncode else None


class Model:
    def __init__(self, case, source):
        self.case, self.source = case, source
        io = np.load(case["folder"] / case["io"]["file"])
        self.x = [io[key] for key in case["io"]["inputs"]]
        self.y = [io[output["key"]] for output in case["io"]["outputs"]]
        self.x, self.y = (v[0] if len(v) == 1 else v for v in (self.x, self.y))
        self.name = f"{case['model']} {case['era']} {source}"

    def losses(self):
        return self.case.get("training", {}).get("losses_reported_steps_3_5")

    def check(self, library, path, label, train):
        what = f"{self.name} as {label}"
        try:
            model = library.models.load_model(path)
            compare(what, model.predict(self.x, verbose=0), self.y, self.case["tolerance"])
            if train and self.losses():
                data = np.load(self.case["folder"] / self.case["training"]["file"])
                got = [float(np.ravel(model.train_on_batch(data["X"][i], data["Y"][i]))[0]) for i in range(3, 6)]
                compare(f"{what}, trained on", got, self.losses(), self.case["tolerance"])
            return model
        except Exception as error:  # the next file is tried all the same
            tell("FAIL", what, f"{type(error).__name__}: {str(error)[:300]}")

    def write(self, ending, *options):
        path = str(work / f"{self.case['model']}_{self.case['era']}{ending}")
        problem = convert(str(self.case["folder"] / self.case["files"][self.source]), path, *options)
        if problem:
            lines = problem.splitlines()
            unknown = [line for line in lines if "nobody knows" in line or "Unknown layer" in line]
            tell("skip" if unknown else "FAIL", f"{self.name} to {ending}", unknown[-1] if unknown else " / ".join(lines)[:300])
        return None if problem else path

    def run(self):
        of_keras_2 = self.case["era"] == "k2"
        archive = self.write(".keras")
        if not archive:
            return
        model = self.check(keras, archive, ".keras in Keras 3", not of_keras_2)
        weights = self.write(".weights.h5")
        if model and weights:
            for variable in model.variables:
                variable.assign(variable * 0)
            model.load_weights(weights)
            compare(f"{self.name} as .weights.h5 in Keras 3", model.predict(self.x, verbose=0), self.y, self.case["tolerance"])
        newer = self.write(".3.h5", "--keras", "3")
        if newer:
            self.check(keras, newer, ".h5 for Keras 3 in Keras 3", False)
        either = self.write(".h5")
        if either:
            self.check(keras, either, ".h5 in Keras 3", False)
        if of_keras_2:
            older = self.write(".2.h5", "--keras", "2")
            if older:
                self.check(keras2, older, ".h5 for Keras 2 in Keras 2", True)


def main():
    for path in sorted(corpus.glob("*/k[23].json")):
        case = json.loads(path.read_text())
        case["folder"] = path.parent
        for source in ("keras_zip", "legacy_h5"):
            if source in case.get("files", {}) and "outputs" in case.get("io", {}):
                keras.backend.clear_session()
                keras2.backend.clear_session()
                Model(case, source).run()
    print(f"{'FAILED' if counts['FAIL'] or not counts['ok'] else 'passed'}: {counts['ok']} checks of recorded models in Keras "
          f"{keras.__version__} and {keras2.__version__}, {counts['FAIL']} failed, {counts['skip']} skipped")
    sys.exit(1 if counts["FAIL"] or not counts["ok"] else 0)


main()
