"""Opens what interop_saved wrote, in Keras 3 and in Keras 2, and compares outputs; trains on where the file stopped and compares losses.

usage: check_saved.py FOLDER
"""

import pathlib
import sys
import warnings

import checks
import keras
import numpy as np
import tf_keras as keras2
from checks import attempt, compare, compare_all, listed

folder = pathlib.Path(sys.argv[1])
warnings.simplefilter("ignore")


@keras.saving.register_keras_serializable()
class Own(keras.layers.Layer):
    """The class of interop_saved.c."""

    def __init__(self, factor, units, **kwargs):
        super().__init__(**kwargs)
        self.factor, self.units = factor, units
        self.inner, self._last = keras.layers.Dense(units, activation="relu"), keras.layers.Dense(2)

    def build(self, shape):
        self.inner.build(shape)
        self._last.build((None, self.units))
        self.offset = self.add_weight(shape=(self.units,), name="offset", initializer="zeros")

    def call(self, x):
        return self._last(self.inner(x) * self.factor + self.offset)

    def get_config(self):
        return {**super().get_config(), "factor": self.factor, "units": self.units}


def next_losses(model, x, arrays):
    return [float(np.ravel(model.train_on_batch(x, arrays["labels"]))[0]) for _ in range(3)]


def check_model(name, arrays):
    x = [arrays[key] for key in arrays.files if key.startswith("in")]
    wanted = [arrays[key] for key in arrays.files if key.startswith("out")]
    x = x[0] if len(x) == 1 else x

    def archive():
        model = keras.models.load_model(folder / f"{name}.keras")
        compare_all(f"Keras 3 {name}.keras", listed(model.predict(x, verbose=0)), wanted, 1e-5)
        fresh = keras.models.model_from_json(model.to_json())
        fresh.load_weights(folder / f"{name}.weights.h5")
        compare_all(f"Keras 3 {name}.weights.h5", listed(fresh.predict(x, verbose=0)), wanted, 1e-5)
        if "losses" in arrays.files:
            compare(f"Keras 3 {name}.keras, trained on", next_losses(model, x, arrays), arrays["losses"], 1e-5)

    def h5(k, label):
        model = k.models.load_model(folder / f"{name}.h5")
        compare_all(f"{label} {name}.h5", listed(model.predict(x, verbose=0)), wanted, 1e-5)
        if "losses" in arrays.files and k is keras2:
            compare(f"{label} {name}.h5, trained on", next_losses(model, x, arrays), arrays["losses"], 1e-5)

    def fresh_losses():
        """What Keras 3 goes on with when it takes all but the optimizer's state, as it does with every .h5."""
        model = keras.models.load_model(folder / f"{name}.keras")
        model.compile(model.optimizer.from_config(model.optimizer.get_config()), model.loss)
        return next_losses(model, x, arrays)

    def h5_for_keras_3():
        model = keras.models.load_model(folder / f"{name}.3.h5")
        compare_all(f"Keras 3 {name}.3.h5", listed(model.predict(x, verbose=0)), wanted, 1e-5)
        if "losses" in arrays.files:
            compare(f"Keras 3 {name}.3.h5, trained with a fresh optimizer", next_losses(model, x, arrays), fresh_losses(), 1e-6)

    attempt(f"Keras 3 {name}.keras", archive)
    if (folder / f"{name}.h5").exists():
        attempt(f"Keras 3 {name}.h5", lambda: h5(keras, "Keras 3"))
        attempt(f"Keras 2 {name}.h5", lambda: h5(keras2, "Keras 2"))
        attempt(f"Keras 3 {name}.3.h5", h5_for_keras_3)


models = sorted(folder.glob("*.npz"))
for path in models:
    check_model(path.stem, np.load(path))
if not models:
    checks.check(folder, False, "no models")
checks.finish(f"{len(models)} models, Keras {keras.__version__} and {keras2.__version__}")
