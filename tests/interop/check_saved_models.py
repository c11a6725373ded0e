"""Opens the SavedModels of interop_saved_models in TensorFlow, in a session of TensorFlow 1 and in Keras 2, and compares outputs; then has
tenon predict with SavedModels of TensorFlow, Keras 3 and Keras 2.

usage: check_saved_models.py FOLDER TENON
"""

import pathlib
import subprocess
import sys
import warnings

import checks
import keras as keras3
import numpy as np
import tensorflow as tf
import tf_keras
from checks import attempt, listed

folder = pathlib.Path(sys.argv[1])
warnings.simplefilter("ignore")
NO_KERAS = {"with_ops"}  # of ops that Keras 2 has not


def check(what, got, wanted):
    checks.compare_all(what, got, wanted, 1e-5, relative=True)


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
    """Classes of tenon's program that Python has not are revived: their calls are functions."""
    x, y = arrays_of(name)
    model = tf_keras.models.load_model(str(folder / name))
    out = model(x[0] if len(x) == 1 else x)
    check(f"{name}, Keras 2", listed(out), y)


class Twice(tf_keras.layers.Layer):
    """As in interop_saved_models.c."""

    def build(self, shape):
        self.k1 = self.add_weight(name="k", shape=(3,), initializer="zeros")
        self.k2 = self.add_weight(name="k", shape=(3,), initializer="zeros")

    def call(self, x):
        return x * self.k1 - self.k2


def keras_class():
    x, y = arrays_of("twice")
    model = tf_keras.models.load_model(str(folder / "twice"), custom_objects={"Custom>Twice": Twice})
    check("twice, Keras 2 with its class", listed(model(x[0])), y)
    checks.check("twice is of its class", isinstance(model, Twice))


for path in sorted(p.name for p in folder.iterdir() if (p / "saved_model.pb").exists()):
    attempt(f"{path}, TensorFlow", lambda: serve(path))
    attempt(f"{path}, TensorFlow 1", lambda: session(path))
    if path not in NO_KERAS:
        attempt(f"{path}, Keras 2", lambda: keras(path))
attempt("twice, Keras 2 with its class", keras_class)


class Plain(tf.Module):
    """Variables, a constant that is captured, branches and a loop."""

    def __init__(self):
        self.w = tf.Variable(np.linspace(-1, 1, 12, dtype="float32").reshape(4, 3), name="w")
        self.shift = tf.constant([0.5, -0.5, 0.25])

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, name="x")])
    def __call__(self, x):
        h = tf.nn.relu(x @ self.w) + self.shift
        h = tf.cond(tf.reduce_sum(h) > 1.0, lambda: h * 2.0, lambda: h - self.shift)
        _, h = tf.while_loop(lambda i, h: i < 3, lambda i, h: (i + 1, h + tf.cast(i, tf.float32) * self.w[0]), [0, h])
        return {"b": tf.nn.softmax(h), "a": tf.transpose(h)[:2]}


def predicted(name, x):
    """What tenon makes of the folder; several outputs as a list."""
    np.save(folder / "in.npy", x)
    subprocess.run([sys.argv[2], "predict", folder / name, "--input", folder / "in.npy", "--output", folder / "out.npy", "--batch-size", "64",
                    "--quiet"], check=True)
    return [np.load(folder / "out.npy")]


def layers_of(k):
    return [k.layers.Conv2D(4, 3, padding="same", activation="relu"), k.layers.BatchNormalization(), k.layers.MaxPooling2D(2),
            k.layers.Flatten(), k.layers.Dropout(0.5), k.layers.Dense(3, activation="softmax")]


def tensorflow_module():
    module, x = Plain(), np.cos(np.arange(20, dtype="float32")).reshape(5, 4)
    only = tf.function(lambda x: {"b": module(x)["b"]}, input_signature=[tf.TensorSpec([None, 4], tf.float32, name="x")])
    tf.saved_model.save(module, str(folder / "module"), signatures=only)
    check("module, tenon", predicted("module", x), [module(x)["b"].numpy()])


def keras_export():
    x = np.cos(np.arange(2 * 8 * 8 * 3, dtype="float32")).reshape(2, 8, 8, 3)
    model = keras3.Sequential([keras3.layers.Input((8, 8, 3)), *layers_of(keras3)])
    model.export(str(folder / "export"), verbose=False)
    check("Keras 3's export, tenon", predicted("export", x), [model(x, training=False).numpy()])


class Squared(tf_keras.layers.Layer):
    def call(self, x):
        return tf.square(x)


def keras_2_own():
    """tenon has not the class: the function runs."""
    x = np.cos(np.arange(12, dtype="float32")).reshape(3, 4)
    model = tf_keras.Sequential([tf_keras.layers.InputLayer((4,)), tf_keras.layers.Dense(3), Squared(), tf_keras.layers.Dense(2)])
    model.save(str(folder / "keras_2_own"), save_format="tf")
    check("Keras 2's own class, tenon", predicted("keras_2_own", x), [model(x, training=False).numpy()])


def keras_2():
    x = np.cos(np.arange(2 * 8 * 8 * 3, dtype="float32")).reshape(2, 8, 8, 3)
    model = tf_keras.Sequential([tf_keras.layers.InputLayer((8, 8, 3)), *layers_of(tf_keras)])
    model.save(str(folder / "keras_2"), save_format="tf")
    check("Keras 2's folder, tenon", predicted("keras_2", x), [model(x, training=False).numpy()])


def tensorflow_1(resource):
    """Layers as TensorFlow 1 has them, of either kind of variable."""
    name, x = f"v1_{resource}", np.cos(np.arange(2 * 8 * 8 * 3, dtype="float32")).reshape(2, 8, 8, 3)
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session, v1.variable_scope("net", use_resource=resource):
        image = v1.placeholder(tf.float32, [None, 8, 8, 3])
        keep = v1.placeholder_with_default(1.0, [])
        h = tf.nn.conv2d(image, v1.get_variable("kernel", [3, 3, 3, 4]), 1, "SAME")
        h, _, _ = v1.nn.fused_batch_norm(h, v1.get_variable("gamma", [4]), v1.get_variable("beta", [4]), v1.get_variable("mean", [4]),
                                         tf.abs(v1.get_variable("variance", [4])), is_training=False)
        h = tf.nn.max_pool2d(tf.nn.relu(h), 2, 2, "VALID") * keep
        h = tf.reshape(h, [-1, 64])
        y = tf.nn.softmax(tf.matmul(h, v1.get_variable("w", [64, 5])) + v1.get_variable("b", [5]))
        session.run(v1.global_variables_initializer())
        v1.saved_model.simple_save(session, str(folder / name), {"image": image}, {"y": y})
        check(f"TensorFlow 1, resources {resource}, tenon", predicted(name, x), [session.run(y, {image: x})])


def recurrent():
    """Layers that tenon has not: the loops of their functions, of whole sequences and of the last step alone."""
    x = np.cos(np.arange(30, dtype="float32")).reshape(2, 5, 3)
    for name, k in [("recurrent_2", tf_keras), ("recurrent_3", keras3)]:
        layers = [k.layers.SimpleRNN(4, return_sequences=True), k.layers.GRU(4, return_sequences=True, go_backwards=True), k.layers.LSTM(2)]
        model = k.Sequential([k.layers.InputLayer((5, 3)), *layers])
        model.save(str(folder / name), save_format="tf") if k is tf_keras else model.export(str(folder / name), verbose=False)
        check(f"{name}, tenon", predicted(name, x), [np.asarray(model(x))])


def own_classes():
    """What tenon wrote, by a program that has not its classes: a loop that collects is in it."""
    x, y = arrays_of("holding")
    check("holding, tenon without its classes", predicted("holding", x[0]), y)


attempt("module, tenon", tensorflow_module)
attempt("recurrent, tenon", recurrent)
attempt("holding, tenon", own_classes)
attempt("TensorFlow 1, tenon", lambda: tensorflow_1(False))
attempt("TensorFlow 1, tenon", lambda: tensorflow_1(True))
attempt("Keras 3's export, tenon", keras_export)
attempt("Keras 2's folder, tenon", keras_2)
attempt("Keras 2's own class, tenon", keras_2_own)
checks.finish(f"SavedModels, TensorFlow {tf.__version__}, Keras {keras3.__version__} and {tf_keras.__version__}")
