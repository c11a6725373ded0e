#!/usr/bin/env python3
"""The SavedModel folders that the tests read: a class of a program's own, of tf_keras 2.21; graphs of TensorFlow 1 and loops with lists, of
TensorFlow 2.21.

usage: make_saved_models.py; TensorFlow and both Kerases must be there (tests/interop/venv.sh). Writes beside itself.
"""
import os
import pathlib
import shutil

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import tensorflow as tf
import tf_keras

v1 = tf.compat.v1

here = pathlib.Path(__file__).parent
outputs = {}


def spread(variables):
    for k, v in enumerate(variables):
        v.assign(np.cos(np.arange(v.shape.num_elements()) * 0.7 + k).reshape(v.shape).astype("float32"))


@tf_keras.utils.register_keras_serializable("Net pkg")
class Scale(tf_keras.layers.Layer):
    """Its own config; a weight and a layer."""

    def __init__(self, units=3, **keywords):
        super().__init__(**keywords)
        self.units = units
        self.sub = tf_keras.layers.Dense(units)

    def build(self, shape):
        self.k = self.add_weight(name="k", shape=(shape[-1],), initializer="ones")
        super().build(shape)

    def call(self, x):
        return self.sub(x * self.k)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@tf_keras.utils.register_keras_serializable("Net pkg")
class Net(tf_keras.Model):
    """A config that leaves the name out, as get_config of a model does."""

    def __init__(self, units=3, **keywords):
        super().__init__(**keywords)
        self.units = units
        self.a = Scale(units)
        self.b = tf_keras.layers.Dense(2)

    def call(self, x):
        return self.b(self.a(x))

    def get_config(self):
        return {"units": self.units}


def own_classes():
    x = np.sin(np.arange(12, dtype="float32")).reshape(3, 4)
    model = Net(5, name="net_of_keras_2")
    model(x)
    spread(model.weights)
    model.compile(tf_keras.optimizers.SGD(0.5), "mse")
    model.save(here / "own_k2", save_format="tf", save_traces=False)
    outputs["own_in"], outputs["own_out"] = x, model(x).numpy()


def variable(name, shape, **options):
    values = np.cos(np.arange(np.prod(shape)) * 0.7).reshape(shape).astype("float32")
    return v1.get_variable(name, initializer=values, **options)


def simple_save():
    """RefVariables: VariableV2, Assign, Identity."""
    x_value = np.sin(np.arange(12, dtype="float32")).reshape(3, 4)
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [None, 4], name="x")
        with v1.variable_scope("net", use_resource=False):
            w, b = variable("w", [4, 3]), variable("b", [3], trainable=False)
        y = tf.nn.softmax(v1.nn.xw_plus_b(x, w, b), name="y")
        session.run(v1.global_variables_initializer())
        v1.saved_model.simple_save(session, str(here / "v1_simple"), {"x": x}, {"y": y})
        outputs["simple_in"], outputs["simple_out"] = x_value, session.run(y, {x: x_value})


def builder():
    """Resource variables beside a RefVariable that counts; signatures of other keys; what is fed by default, or by nobody."""
    ids_value, scale_value = np.array([3, 0, 1], "int32"), np.float32(2.5)
    with tf.Graph().as_default(), v1.Session() as session:
        ids = v1.placeholder(tf.int32, [None], name="ids")
        scale = v1.placeholder(tf.float32, [], name="scale")
        rate = v1.placeholder_with_default(np.float32(0.5), [], name="rate")
        unfed = v1.placeholder(tf.float32, [2], name="unfed")
        table = variable("embedding/table", [4, 2], use_resource=True)
        calls = v1.get_variable("calls", initializer=np.float32(0), trainable=False, use_resource=False)
        rows = tf.nn.embedding_lookup(table, ids)
        mean, variance = tf.nn.moments(rows, [1], keepdims=True)
        counted = v1.assign_add(calls, 1.0)
        with tf.control_dependencies([counted]):
            a = tf.identity((rows - mean) * tf.math.rsqrt(variance + 0.1) * scale, name="a")
        parts = tf.split(rows * rate, 2, axis=1)
        session.run(v1.global_variables_initializer())
        info = v1.saved_model.build_tensor_info
        define = v1.saved_model.build_signature_def
        predict = define({"scale": info(scale), "ids": info(ids)}, {"b": info(parts[1]), "a": info(a), "n": info(counted)}, "predict")
        lonely = define({"ids": info(ids)}, {"z": info(rows + unfed)}, "predict")
        made = v1.saved_model.Builder(str(here / "v1_builder"))
        made.add_meta_graph_and_variables(session, ["serve"], {"predict": predict, "lonely": lonely})
        made.save()
        outputs["builder_ids"], outputs["builder_scale"] = ids_value, scale_value
        outputs["builder_a"], outputs["builder_b"] = session.run([a, parts[1]], {ids: ids_value, scale: scale_value})


class Lists(tf.Module):
    """TensorLists: map_fn's; one that is written backwards."""

    def __init__(self):
        self.w = tf.Variable(np.cos(np.arange(9) * 0.7).reshape(3, 3).astype("float32"), name="w")

    @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32, name="x")])
    def forwards(self, x):
        return {"y": tf.map_fn(lambda row: tf.linalg.matvec(self.w, row) + 1.0, x)}

    @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32, name="x")])
    def backwards(self, x):
        n = tf.shape(x)[0]
        _, rows = tf.while_loop(lambda i, rows: i < n, lambda i, rows: (i + 1, rows.write(n - 1 - i, x[i])), [0, tf.TensorArray(tf.float32, n)])
        return {"y": rows.stack()}

    @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32, name="x")])
    def sparsely(self, x):
        """Two rounds, four elements."""
        _, rows = tf.while_loop(lambda i, rows: i < 2, lambda i, rows: (i + 1, rows.write(i, x[i])), [0, tf.TensorArray(tf.float32, 4, element_shape=[3])])
        return {"y": rows.stack()}


def lists():
    module, x = Lists(), np.sin(np.arange(12, dtype="float32")).reshape(4, 3)
    names = ["forwards", "backwards", "sparsely"]
    tf.saved_model.save(module, str(here / "lists"), signatures={name: getattr(module, name) for name in names})
    outputs["lists_in"] = x
    for name in ["forwards", "sparsely"]:
        outputs[f"lists_{name}"] = getattr(module, name)(x)["y"].numpy()


def tidy(folder):
    for name in ["fingerprint.pb", "assets"]:
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        elif path.exists():
            path.unlink()


for name, make in {"own_k2": own_classes, "v1_simple": simple_save, "v1_builder": builder, "lists": lists}.items():
    shutil.rmtree(here / name, ignore_errors=True)
    make()
    tidy(here / name)
np.savez(here / "saved_models.npz", **outputs)
