"""The programs of examples/seeds/, beside the real TensorFlow: the files that they read come from it, and those that they write it opens.

usage: check_seeds.py PROGRAMS TENON WORK, the programs being in a folder; with TF_USE_LEGACY_KERAS=1
"""

import os
import pathlib
import subprocess
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import checks
import numpy as np
import tensorflow as tf
import tf_keras
from checks import check

programs, tenon = (pathlib.Path(word).resolve() for word in sys.argv[1:3])
work = pathlib.Path(sys.argv[3])
(work / "path/to").mkdir(parents=True, exist_ok=True)
os.chdir(work)


def same(got, wanted):
    return checks.difference(got, wanted, relative=True) <= 1e-5


def run(program):
    done = subprocess.run([programs / program], capture_output=True, text=True)
    check(f"{program} ends well", done.returncode == 0 and not done.stderr)
    return done.stdout


# 000: a model that Keras 2 saved is joined to a new layer.
layers = tf_keras.layers
tf_keras.Sequential([layers.Dense(12, activation="tanh", input_shape=(8,)), layers.Dense(5)]).save("path/to/pretrained_model.h5")
for program in ("000_ex1", "000_ex2", "000_ex3"):
    check(f"{program} prints two shapes", run(program) == "Call 1 output shape: (1, 10)\nCall 2 output shape: (1, 10)\n")


# 001: the document's own class takes the weights.
class MyModel(tf_keras.Model):
    def __init__(self):
        super().__init__()
        self.w = tf.Variable(tf.random.normal([10, 10]), name="weights")

    def call(self, x):
        return self.w @ x


for program, path in (("001_ex1", "model_weights"), ("001_ex2", "model_weights_correct"), ("001_ex3", "model_weights_tf_function")):
    run(program)
    reader = tf.train.load_checkpoint(path)
    stored = reader.get_tensor("w/.ATTRIBUTES/VARIABLE_VALUE")
    variables = [name for name in reader.get_variable_to_shape_map() if "VARIABLE_VALUE" in name and "save_counter" not in name]
    check(f"{path} holds w and no other variable", variables == ["w/.ATTRIBUTES/VARIABLE_VALUE"])
    model = MyModel()
    model(tf.zeros([10, 10]))
    model.load_weights(path)
    check(f"{path}: tf_keras's load_weights takes it", same(model.w, stored))
    restored = MyModel()
    tf.train.Checkpoint(w=restored.w).restore(path).expect_partial()
    check(f"{path}: tf.train.Checkpoint restores it", same(restored.w, stored))

# 003: the folders run in TensorFlow, and open in tf_keras where the layers are Keras's own.
x = np.random.default_rng(1).standard_normal((6, 10)).astype(np.float32)
np.save("x.npy", x)
for program in ("003_ex1", "003_ex2", "003_ex3"):
    run(program)
    for folder in ("model_0", "model_1"):
        subprocess.run([tenon, "predict", folder, "--input", "x.npy", "--output", "y.npy", "--quiet"], check=True)
        wanted = np.load("y.npy")
        signature = tf.saved_model.load(folder).signatures["serving_default"]
        (name,) = signature.structured_input_signature[1]
        (got,) = signature(**{name: tf.constant(x)}).values()
        check(f"{program}: tf.saved_model.load runs {folder}", same(got, wanted))
        if program != "003_ex3":
            check(f"{program}: tf_keras opens {folder}", same(tf_keras.models.load_model(folder)(x), wanted))
checks.finish(f"the programs of examples/seeds, TensorFlow {tf.__version__}")
