"""Opens the .h5 that tenon wrote in Keras 2 and compares outputs."""

import sys

import numpy as np
import tf_keras as keras

work, digits = sys.argv[1], np.load(sys.argv[2])
failures = 0
for name in ("untrained", "extended"):
    model = keras.models.load_model(f"{work}/{name}.h5", compile=False)
    got, wanted = model.predict(digits["x_test"], verbose=0), np.load(f"{work}/{name}.npy")
    difference = float(np.max(np.abs(got - wanted)))
    failures += difference > 1e-5
    print(f"{'ok  ' if difference <= 1e-5 else 'FAIL'} Keras 2 {name}.h5: largest difference {difference:.2e} (allowed 1e-05)")
print(f"{'FAILED' if failures else 'passed'}: Keras {keras.__version__}")
sys.exit(1 if failures else 0)
