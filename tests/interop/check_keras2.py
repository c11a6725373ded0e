"""Opens the .h5 that tenon wrote in Keras 2 and compares outputs."""

import sys

import checks
import numpy as np
import tf_keras as keras

work, digits = sys.argv[1], np.load(sys.argv[2])
for name in ("untrained", "extended"):
    model = keras.models.load_model(f"{work}/{name}.h5", compile=False)
    checks.compare(f"Keras 2 {name}.h5", model.predict(digits["x_test"], verbose=0), np.load(f"{work}/{name}.npy"), 1e-5)
checks.finish(f"Keras {keras.__version__}")
