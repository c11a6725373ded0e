"""Writes values.h: what the real Keras gives for the layers of the tests beside it.

    $(sh tests/interop/venv.sh | tail -n 1) src/nn/layers/testdata/make_values.py
"""
import numpy as np
from keras_layers import K, call, layer_input, prepared, stats, write


def adapted(x):
    layer = K.Normalization()
    layer.adapt(x)
    return np.asarray(layer(x), dtype="float32")


image, wide = layer_input(2, 5, 6, 4), layer_input(1, 7, 7, 2)
flat, rows, cube = layer_input(4, 3), layer_input(2, 4), layer_input(2, 3, 4)
bn = lambda **a: K.BatchNormalization(momentum=0.9, **a)
given = dict(mean=[0.1, 0.2, 0.3], variance=[0.5, 2.0, 0.25])
values = {
    "dense_tanh": call(K.Dense(3, "tanh"), rows),
    "dense_plain": call(K.Dense(2, use_bias=False), cube),
    "activation_softplus": call(K.Activation("softplus"), rows),
    "relu_limited": call(K.ReLU(0.6, 0.1, 0.2), rows),
    "softmax_last": call(K.Softmax(), rows),
    "softmax_two": call(K.Softmax(axis=(1, 2)), cube),
    "dropout": call(K.Dropout(0.4, seed=7), cube, training=True),
    "dropout_shared": call(K.Dropout(0.4, noise_shape=(None, 1, 4), seed=7), cube, training=True),
    "conv_valid": call(K.Conv2D(3, 3, activation="tanh"), image),
    "conv_same": call(K.Conv2D(2, (3, 2), strides=(2, 1), padding="same"), image),
    "conv_groups": call(K.Conv2D(4, 2, groups=2, use_bias=False), image),
    "conv_dilated": call(K.Conv2D(2, 3, dilation_rate=2), wide),
    "depthwise_same": call(K.DepthwiseConv2D(3, strides=2, padding="same", depth_multiplier=2), image),
    "depthwise_valid": call(K.DepthwiseConv2D((2, 3), activation="relu", use_bias=False), wide),
    "max_pool": call(K.MaxPooling2D(), image),
    "max_pool_same": call(K.MaxPooling2D(3, 2, "same"), wide),
    "average_pool_same": call(K.AveragePooling2D(3, 2, "same"), wide),
    "average_pool_first": call(K.AveragePooling2D((2, 3), data_format="channels_first"), image),
    "global_average": call(K.GlobalAveragePooling2D(), image),
    "bn_moving": call(bn(), flat),
    "bn_batch": call(bn(), flat, training=True),
    "bn_stats": stats(bn(), flat),
    "bn_axis": call(bn(axis=1, scale=False), cube, training=True),
    "bn_renorm": call(bn(renorm=True, renorm_clipping={"rmax": 3.0, "rmin": 0.3, "dmax": 5.0}), flat, training=True),
    "bn_renorm_stats": stats(bn(renorm=True, renorm_clipping={"rmax": 3.0, "rmin": 0.3, "dmax": 5.0}), flat),
    "rescaled": call(K.Rescaling(1 / 3, -0.5), flat),
    "rescaled_each": call(K.Rescaling([1.0, 2.0, 3.0], offset=[0.5, 0.0, -0.5]), flat),
    "normalized_given": np.asarray(K.Normalization(**given)(flat)),
    "normalized_back": np.asarray(K.Normalization(invert=True, **given)(flat)),
    "normalized_adapted": adapted(flat),
    "added": np.asarray(K.Add()([rows, layer_input(2, 4, seed=1), layer_input(2, 4, seed=2)])),
    "added_ranks": np.asarray(K.Add()([cube, layer_input(2, 4, seed=1)])),
    "joined": np.asarray(K.Concatenate(axis=1)([cube, layer_input(2, 2, 4, seed=1)])),
}

write("values.h", values)
