#!/usr/bin/env python3
"""Writes the files of eras_test.c with the real Keras 2 (tf_keras) and Keras 3: models whose words mean one thing in Keras 2 and another
in Keras 3, and what came out of them (eras.npz).

    "$(tests/interop/venv.sh)" src/saving/testdata/make_eras.py
"""
import os
import pathlib
import zipfile

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="0", CUDA_VISIBLE_DEVICES="")
import keras
import numpy as np
import tf_keras as keras2

HERE = pathlib.Path(__file__).resolve().parent
X = 3 * np.cos(np.arange(30, dtype="float32") * 0.7).reshape(6, 5)
outputs = {"x": X}

# Keras 2's hard_sigmoid in Keras 3's words, as tenon writes it.
LAYER = {"module": "keras.layers", "registered_name": None}
SCALED = {**LAYER, "class_name": "Rescaling", "config": {"name": "rescaling", "scale": 0.2, "offset": 0.5}}
CUT = {**LAYER, "class_name": "ReLU", "config": {"name": "re_lu", "max_value": 1.0}}
COMPOSED = {"module": "keras", "class_name": "Sequential", "config": {"name": "hard_sigmoid_keras2", "layers": [SCALED, CUT]}}


def spread(model):
    weights = enumerate(model.get_weights())
    model.set_weights([np.cos(np.arange(w.size, dtype="float32") * 0.7 + k).reshape(w.shape) for k, w in weights])


def sigmoids(k, function):
    """One as an argument, one as a layer."""
    layers = k.layers
    return k.Sequential([layers.Input((5,)), layers.Dense(4, activation=function, name="a"), layers.Dense(3, name="b"),
                         layers.Activation(function, name="c")], name="sigmoids")


def objects(k):
    """Layers that stand where a function may."""
    layers = k.layers
    return k.Sequential([layers.Input((5,)), layers.Dense(4, activation=layers.LeakyReLU(0.15), name="a"),
                         layers.Dense(4, activation=layers.ReLU(max_value=2.0, threshold=0.1), name="b"),
                         layers.Dense(4, activation=layers.ELU(0.7), name="c"), layers.Dense(4, activation=layers.Softmax(), name="d")],
                        name="objects")


Y = (np.arange(18, dtype="float32") % 3).reshape(6, 3)
OPTIMIZERS = {
    "decay": lambda: keras2.optimizers.legacy.SGD(0.1, momentum=0.9, decay=0.1),
    "idle": lambda: keras2.optimizers.SGD(keras2.optimizers.schedules.PiecewiseConstantDecay([2, 4], [0.1, 0.05, 0.01])),
    "factored": lambda: keras2.optimizers.Adafactor(0.01),
}


def trained(name):
    """Three steps, saved, and the losses of the next three."""
    layers = keras2.layers
    model = keras2.Sequential([layers.Input((5,)), layers.Dense(4, activation="tanh", name="a"), layers.Dense(3, name="b")], name=name)
    spread(model)
    model.compile(OPTIMIZERS[name](), "mean_squared_error")
    losses = [model.train_on_batch(X, Y) for _ in range(3)]
    model.save(HERE / f"{name}_k2.h5")
    outputs["labels"] = Y
    outputs[f"{name}_losses"] = np.array([model.train_on_batch(X, Y) for _ in losses], "float32")


def save(model, name):
    spread(model)
    outputs[name.split(".")[0]] = model.predict(X, verbose=0)
    model.save(HERE / name)


def fix_date(path):
    """The same bytes every time: the archive's own date, and that in its metadata."""
    with zipfile.ZipFile(path) as z:
        members = {n: z.read(n) for n in z.namelist()}
    head = members["metadata.json"].split(b'"date_saved"')[0]
    members["metadata.json"] = head + b'"date_saved": "2026-01-01@00:00:00"}'
    with zipfile.ZipFile(path, "w") as z:
        for name, data in members.items():
            z.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data)


def main():
    for k, era in ((keras2, "k2"), (keras, "k3")):
        k.backend.clear_session()
        save(objects(k), f"objects_{era}.h5")
        k.backend.clear_session()
        save(objects(k), f"objects_{era}.keras")
        k.backend.clear_session()
        model = sigmoids(k, "hard_sigmoid" if era == "k2" else COMPOSED)
        save(model, f"sigmoids_{era}.h5")
        model.save(HERE / f"sigmoids_{era}.keras")
        (HERE / f"sigmoids_{era}.json").write_text(model.to_json() + "\n")
        fix_date(HERE / f"objects_{era}.keras")
        fix_date(HERE / f"sigmoids_{era}.keras")
    for name in OPTIMIZERS:
        keras2.backend.clear_session()
        trained(name)
    np.savez(HERE / "eras.npz", **outputs)


main()
