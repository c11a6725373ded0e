#!/usr/bin/env python3
"""The SavedModel folders that the tests read: a class of a program's own, of tf_keras 2.21.

usage: make_saved_models.py; TensorFlow and both Kerases must be there (tests/interop/venv.sh). Writes beside itself.
"""
import os
import pathlib
import shutil

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import tf_keras

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


def tidy(folder):
    for name in ["fingerprint.pb", "assets"]:
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        elif path.exists():
            path.unlink()


own_classes()
tidy(here / "own_k2")
np.savez(here / "saved_models.npz", **outputs)
