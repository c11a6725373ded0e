"""Checkpoints between tenon and TensorFlow: writes some for interop_checkpoints, runs it, and opens what it wrote as TensorFlow, Keras 2
and the Saver of TensorFlow 1 do; every object of each model must be bound.

usage: check_checkpoints.py INTEROP_CHECKPOINTS FOLDER
"""

import pathlib
import subprocess
import sys
import warnings

import checks
import keras as keras3
import numpy as np
import tensorflow as tf
import tf_keras as keras
from checks import attempt, compare

program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
layers, v1 = keras.layers, tf.compat.v1
warnings.simplefilter("ignore")


# --- the models of interop_checkpoints.c ---
def sequential():
    return keras.Sequential([layers.Dense(4, activation="relu", input_shape=(3,)), layers.Dropout(0.5), layers.BatchNormalization(), layers.Dense(2)])


def functional():
    x = layers.Input((6, 6, 2))
    inner = keras.Sequential([layers.Dense(4), layers.LayerNormalization()])
    y, z = layers.DepthwiseConv2D(3)(x), layers.PReLU()(layers.Conv2D(2, 3)(x))
    return keras.Model(x, inner(layers.Flatten()(layers.Concatenate()([y, z]))))


def trained():
    model = keras.Sequential([layers.Dense(4, input_shape=(3,)), layers.Dense(2)])
    model.compile(keras.optimizers.Adam(0.5), "mse")
    return model


class Own(keras.Model):
    def __init__(self):
        super().__init__()
        self.first, self.w = layers.Dense(3), None
        self.scale = self.add_weight(name="factor", shape=(2,))

    def call(self, x):
        if self.w is None:
            self.w = tf.Variable(tf.zeros((3, 2)), name="weights")
        return tf.matmul(self.first(x), self.w) * self.scale


def own():
    model = Own()
    model(np.zeros((1, 3), "f"))
    return model


def check_model(make):
    name = make.__name__
    arrays = np.load(folder / f"{name}.npz")
    model, other = make(), make()
    if name == "trained":  # Keras 2 restores slots when it makes them
        model.load_weights(str(folder / name))
    else:
        model.load_weights(str(folder / name)).assert_consumed()
        tf.train.Checkpoint(other).read(str(folder / name)).assert_consumed()
        compare(f"{name}, read of tf.train.Checkpoint", other(arrays["in0"]), arrays["out0"], 1e-5)
    other = make()  # restore counts saves, which save_weights of Keras 2 does not write either
    tf.train.Checkpoint(other).restore(str(folder / name)).expect_partial()
    compare(f"{name}, restore of tf.train.Checkpoint", other(arrays["in0"]), arrays["out0"], 1e-5)
    compare(f"{name}, load_weights of Keras 2", model(arrays["in0"]), arrays["out0"], 1e-5)
    if name == "trained":
        losses = [float(model.train_on_batch(arrays["in0"], arrays["labels"])) for _ in range(2)]
        compare(f"{name}, losses of the next steps", losses, arrays["losses"], 1e-6)
    again = tf.train.load_checkpoint(str(folder / name))
    for key in again.get_variable_to_shape_map():
        again.get_tensor(key)
    same_keys(name, model)


def same_keys(name, model):
    """Keras 2 saves the same model under the same keys, in the same shapes."""
    model.save_weights(str(folder / "again" / name))
    ours, theirs = (dict(tf.train.list_variables(str(f / name))) for f in (folder, folder / "again"))
    checks.check(f"{name}, {len(ours)} keys", ours == theirs, "" if ours == theirs else f"{sorted(set(ours) ^ set(theirs))}")


# --- optimizers ---
OPTIMIZERS = {
    "sgd": lambda k: k.SGD(0.5),
    "sgd_momentum": lambda k: k.SGD(0.5, momentum=0.9),
    "adam": lambda k: k.Adam(0.5),
    "amsgrad": lambda k: k.Adam(0.5, amsgrad=True),
    "adam_ema": lambda k: k.Adam(0.5, use_ema=True),
    "adamw": lambda k: k.AdamW(0.5),
    "adamax": lambda k: k.Adamax(0.5),
    "nadam": lambda k: k.Nadam(0.5),
    "rmsprop": lambda k: k.RMSprop(0.5),
    "rmsprop_all": lambda k: k.RMSprop(0.5, momentum=0.5, centered=True),
    "adagrad": lambda k: k.Adagrad(0.5),
    "adadelta": lambda k: k.Adadelta(0.1),
    "ftrl": lambda k: k.Ftrl(0.5),
    "adafactor": lambda k: k.Adafactor(0.5),
    "lion": lambda k: k.Lion(0.5),
}


def with_optimizer(name):
    model = keras.Sequential([layers.Dense(4, input_shape=(3,)), layers.Dropout(0.0), layers.Dense(2)])
    model.compile(OPTIMIZERS[name](keras.optimizers), "mse")
    model.optimizer.build(model.trainable_variables)
    return model


def check_optimizer(name):
    """Everything is found, whichever way it is asked for, and training goes on."""
    path = str(folder / f"optimizer_{name}")
    arrays = np.load(path + ".npz")
    restores = {
        "Checkpoint(model=, optimizer=).restore": lambda m: tf.train.Checkpoint(model=m, optimizer=m.optimizer).restore(path),
        "Checkpoint(optimizer=, model=).read": lambda m: tf.train.Checkpoint(optimizer=m.optimizer, model=m).read(path),
        "Checkpoint(model).restore": lambda m: tf.train.Checkpoint(m).restore(path),
        "Checkpoint(model).read": lambda m: tf.train.Checkpoint(m).read(path),
        "load_weights": lambda m: m.load_weights(path),
    }
    for how, restore in restores.items():
        model = with_optimizer(name)
        restore(model).assert_consumed()
        compare(f"optimizer {name}, {how}, outputs", model(arrays["in0"]), arrays["out0"], 1e-6)
        if name == "nadam":  # tf_keras takes its product anew for each variable, not for each step: no other Keras trains so
            continue
        losses = [float(model.train_on_batch(arrays["in0"], arrays["labels"])) for _ in range(2)]
        compare(f"optimizer {name}, {how}, losses of the next steps", losses, arrays["losses"], 2e-6)


def keras3_model(name):
    three = keras3.layers
    model = keras3.Sequential([keras3.Input((3,)), three.Dense(4), three.Dropout(0.0), three.Dense(2)])
    model.compile(OPTIMIZERS[name](keras3.optimizers), "mse")
    model.optimizer.build(model.trainable_variables)
    return model


def check_keras3(name):
    """The same with objects of Keras 3."""
    arrays = np.load(folder / f"optimizer_{name}.npz")
    model = keras3_model(name)
    tf.train.Checkpoint(model=model, optimizer=model.optimizer).restore(str(folder / f"keras3_{name}")).assert_consumed()
    losses = [float(np.ravel(model.train_on_batch(arrays["in0"], arrays["labels"]))[0]) for _ in range(2)]
    compare(f"optimizer {name} of Keras 3, losses of the next steps", losses, arrays["losses"], 2e-6)


def check_keras3_models():
    three = keras3.layers
    model = keras3.Sequential([keras3.Input((3,)), three.Dense(4), three.Dropout(0.0), three.Dense(2)])
    tf.train.Checkpoint(model=model).restore(str(folder / "plain_sgd")).assert_consumed()
    arrays = np.load(folder / "optimizer_sgd.npz")
    compare("Keras 3, a Sequential", model(arrays["in0"]), arrays["out0"], 1e-6)
    x = three.Input((6, 6, 2))
    inner = keras3.Sequential([three.Dense(4), three.LayerNormalization()])
    y, z = three.DepthwiseConv2D(3)(x), three.PReLU()(three.Conv2D(2, 3)(x))
    model = keras3.Model(x, inner(three.Flatten()(three.Concatenate()([y, z]))))
    tf.train.Checkpoint(model=model).restore(str(folder / "functional")).assert_consumed()
    arrays = np.load(folder / "functional.npz")
    compare("Keras 3, a functional model", model(arrays["in0"]), arrays["out0"], 1e-5)


# --- variables ---
def graph_of(scale):
    a = v1.get_variable("a", initializer=scale * np.cos(np.arange(6, dtype="f") * np.float32(0.5)).reshape(2, 3))
    with v1.variable_scope("scope"):
        b = v1.get_variable("b", initializer=scale * np.cos(np.arange(4, dtype="f") * np.float32(0.25)))
        count = v1.get_variable("count", initializer=np.int64(7 * scale))
    return a, b, count


def write_savers():
    for version, name in ((v1.train.SaverDef.V1, "saver_v1"), (v1.train.SaverDef.V2, "saver_v2")):
        with tf.Graph().as_default(), v1.Session() as session:
            graph_of(2)
            session.run(v1.global_variables_initializer())
            v1.train.Saver(write_version=version).save(session, str(folder / name), write_state=False)


def check_saver():
    latest = tf.train.latest_checkpoint(str(folder))
    state = tf.train.get_checkpoint_state(str(folder))
    compare("steps that are kept", [int(path.rsplit("-", 1)[1]) for path in state.all_model_checkpoint_paths], [2, 3], 0)
    compare("graph-1 is deleted", len(list(folder.glob("graph-1.*"))), 0, 0)
    with tf.Graph().as_default(), v1.Session() as session:
        variables = graph_of(3)
        v1.train.Saver().restore(session, latest)
        wanted = (np.cos(np.arange(6, dtype="f") * np.float32(0.5)).reshape(2, 3), np.cos(np.arange(4, dtype="f") * np.float32(0.25)), 7)
        for variable, want in zip(variables, wanted):
            compare(f"{variable.name} by TensorFlow 1's Saver", session.run(variable), want, 1e-7)


(folder / "again").mkdir(parents=True)
write_savers()
subprocess.run([program, str(folder)], check=True)
for make in (sequential, functional, trained, own):
    attempt(make.__name__, lambda make=make: check_model(make))
for name in OPTIMIZERS:
    attempt(f"optimizer {name}", lambda name=name: check_optimizer(name))
for name in OPTIMIZERS:
    attempt(f"optimizer {name} of Keras 3", lambda name=name: check_keras3(name))
attempt("models of Keras 3", check_keras3_models)
attempt("the saver", check_saver)
checks.finish(f"checkpoints, TensorFlow {tf.__version__}")
