"""Numbers of the real Keras for the layers' tests: what the make_*.py scripts of this folder share.

Inputs and weights are numbers that the C side makes by the same rule (tests/support/check_layer.c).
"""
import os
import pathlib

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
import keras
import numpy as np

K = keras.layers


def numbers(shape, seed, scale, offset):
    i = np.arange(int(np.prod(shape)), dtype=np.int64)
    return ((i * 37 + seed * 101) % 97 / scale + offset).reshape(shape).astype("float32")


def layer_input(*shape, seed=0):
    return numbers(shape, seed, 48.0, -1.0)


def layer_weight(shape, seed):
    return numbers(shape, seed, 97.0, 0.1)


def prepared(layer, inputs):
    layer.build([x.shape for x in inputs] if isinstance(inputs, list) else inputs.shape)
    layer.set_weights([layer_weight(w.shape, i + 1) for i, w in enumerate(layer.weights)])
    return layer


def call(layer, inputs, **arguments):
    return np.asarray(prepared(layer, inputs)(inputs, **arguments), dtype="float32")


def stats(layer, inputs):
    """What a training call leaves in the weights that are not trained."""
    prepared(layer, inputs)(inputs, training=True)
    return np.concatenate([np.asarray(w).ravel() for w in layer.non_trainable_weights])


def text(x):
    return repr(float(np.format_float_positional(x, unique=True))) if np.isfinite(x) else "NAN"


def write(name, values):
    """The header beside this file, an array for each of the values."""
    with open(pathlib.Path(__file__).parent / name, "w") as out:
        out.write("/* %s - what Keras %s gives; made by make_%s.py. */\n" % (name, keras.__version__, name[:-2]))
        for array_name, array in values.items():
            items = [text(x) for x in np.asarray(array, dtype="float32").ravel()]
            lines = [", ".join(items[i : i + 8]) for i in range(0, len(items), 8)]
            out.write("static const double %s[] = {\n    %s,\n};\n" % (array_name, ",\n    ".join(lines)))
