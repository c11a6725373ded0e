"""Opens what tenon wrote in Keras 3 and compares outputs; fine-tunes as interop_finetune did and compares losses."""

import sys

import checks
import keras
import numpy as np
from checks import compare

work, digits = sys.argv[1], np.load(sys.argv[2])

for name in ("untrained", "extended"):
    wanted = np.load(f"{work}/{name}.npy")
    model = keras.models.load_model(f"{work}/{name}.keras")
    compare(f"Keras 3 {name}.keras", model.predict(digits["x_test"], verbose=0), wanted, 1e-5)
    legacy = keras.models.load_model(f"{work}/{name}.h5", compile=False)
    compare(f"Keras 3 {name}.h5", legacy.predict(digits["x_test"], verbose=0), wanted, 1e-5)
    fresh = keras.models.model_from_json(model.to_json())
    fresh.load_weights(f"{work}/{name}.weights.h5")
    compare(f"Keras 3 {name}.weights.h5", fresh.predict(digits["x_test"], verbose=0), wanted, 1e-5)

keras.utils.set_random_seed(11)
model = keras.models.load_model(f"{work}/untrained.keras")
model.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(digits["x_train"], digits["y_train"], epochs=2, batch_size=32, verbose=0)
ours = np.loadtxt(f"{work}/losses.txt", ndmin=2)
compare("losses of fine-tuning in Keras 3 and in tenon", ours[:, 0], history.history["loss"], 1e-4)
compare("accuracies of the same", ours[:, 1], history.history["accuracy"], 1e-3)
checks.finish(f"Keras {keras.__version__}")
