"""What Keras does for W1: cold.py MODEL predicts once with a saved model and prints the most that the process ever held, in MB."""
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras  # noqa: E402
import numpy as np  # noqa: E402

model = keras.models.load_model(sys.argv[1])
assert 0 <= float(model(np.ones((1, 64), "float32"))[0, 0]) <= 1
# Not getrusage's: there the process that started this one counts too.
with open("/proc/self/status", encoding="ascii") as file:
    print(next(int(line.split()[1]) / 1024 for line in file if line.startswith("VmHWM:")))
