"""Writes the models of W3 and W5 as .tflite files for litert_peer.py: litert_models.py FOLDER. Runs where TensorFlow is."""
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

L = keras.layers
MODELS = {
    "mlp": [keras.Input((64,), batch_size=1), L.Dense(128, activation="relu"), L.Dense(10, activation="softmax")],
    "cnn": [keras.Input((28, 28, 1), batch_size=1), L.Conv2D(32, 3, activation="relu"), L.Conv2D(64, 3, activation="relu"),
            L.MaxPooling2D(), L.Flatten(), L.Dense(128, activation="relu"), L.Dense(10, activation="softmax")],
}
for name, layers in MODELS.items():
    for batch in (1, 64) if name == "cnn" else (1,):
        model = keras.Sequential([keras.Input(layers[0].shape[1:], batch_size=batch), *layers[1:]])
        function = tf.function(lambda x: model(x, training=False))
        signature = function.get_concrete_function(tf.TensorSpec((batch, *layers[0].shape[1:]), tf.float32))
        data = tf.lite.TFLiteConverter.from_concrete_functions([signature], model).convert()
        with open(os.path.join(sys.argv[1], f"{name}_b{batch}.tflite"), "wb") as file:
            file.write(data)
