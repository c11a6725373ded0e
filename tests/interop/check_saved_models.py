"""Opens the SavedModels of interop_saved_models in TensorFlow, in a session of TensorFlow 1 and in Keras 2, and compares outputs.

usage: check_saved_models.py FOLDER
"""

import pathlib
import sys
import warnings

import numpy as np
import tensorflow as tf
import tf_keras

folder = pathlib.Path(sys.argv[1])
failures = 0
warnings.simplefilter("ignore")
OWN = {"own", "twice", "with_ops"}  # of classes and ops that Keras 2 has not


def check(what, got, wanted, tolerance=1e-5):
    global failures
    differences = [float(np.max(np.abs(np.asarray(a, "float64") - b) / (1 + np.abs(b)))) for a, b in zip(got, wanted)]
    good = len(got) == len(wanted) and max(differences) <= tolerance
    failures += not good
    print(f"{'ok  ' if good else 'FAIL'} {what}: largest difference {max(differences):.2e} (allowed {tolerance:g})")


def attempt(what, action):
    global failures
    try:
        action()
    except Exception as error:  # the next is tried all the same
        failures += 1
        print(f"FAIL {what}: {type(error).__name__}: {str(error)[:600]}")


def arrays_of(name):
    arrays = np.load(folder / f"{name}.npz")
    return [[arrays[key] for key in sorted(arrays.files) if key.startswith(start)] for start in ("in", "out")]


def ordered(names, name):
    """Signatures sort by name; the models' own order is the files'."""
    order = {"tangled": ["left input", "b", "out", "outer"]}.get(name, [])
    return sorted(names, key=lambda key: (order.index(key) if key in order else 0, key))


def serve(name):
    x, y = arrays_of(name)
    loaded = tf.saved_model.load(str(folder / name))
    call = loaded.signatures["serving_default"]
    keys = ordered(call.structured_input_signature[1], name)
    out = call(**{key: tf.constant(value) for key, value in zip(keys, x)})
    check(f"{name}, TensorFlow", [out[key].numpy() for key in ordered(out, name)], y)


def session(name):
    x, y = arrays_of(name)
    with tf.Graph().as_default(), tf.compat.v1.Session() as s:
        signature = tf.compat.v1.saved_model.load(s, ["serve"], str(folder / name)).signature_def["serving_default"]
        feeds = {signature.inputs[key].name: value for key, value in zip(ordered(signature.inputs, name), x)}
        out = s.run([signature.outputs[key].name for key in ordered(signature.outputs, name)], feeds)
    check(f"{name}, TensorFlow 1", out, y)


def keras(name):
    x, y = arrays_of(name)
    model = tf_keras.models.load_model(str(folder / name))
    out = model(x[0] if len(x) == 1 else x, training=False)
    check(f"{name}, Keras 2", [v.numpy() for v in (out if isinstance(out, (list, tuple)) else [out])], y)


for path in sorted(p.name for p in folder.iterdir() if (p / "saved_model.pb").exists()):
    attempt(f"{path}, TensorFlow", lambda: serve(path))
    attempt(f"{path}, TensorFlow 1", lambda: session(path))
    if path not in OWN:
        attempt(f"{path}, Keras 2", lambda: keras(path))
sys.exit(failures > 0)
