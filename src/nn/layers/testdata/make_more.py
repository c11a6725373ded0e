"""Writes more.h: what the real Keras gives for merging, noise, normalization of rows, activations that are layers, Embedding.

    $(sh tests/interop/venv.sh | tail -n 1) src/nn/layers/testdata/make_more.py
"""
import keras
import numpy as np
from keras_layers import K, call, layer_input, write

rows, cube, image = layer_input(2, 4), layer_input(2, 3, 4), layer_input(2, 3, 2, 4)
two = [rows, layer_input(2, 4, seed=1)]
three = two + [layer_input(2, 4, seed=2)]
ranks = [cube, layer_input(2, 4, seed=1)]


def merged(layer, inputs):
    return np.asarray(layer(inputs))


def masked(layer, inputs, masks):
    """A merge of masked inputs, and its mask."""
    y = layer([masks_on(x, m) for x, m in zip(inputs, masks)])
    return np.concatenate([np.asarray(y).ravel(), np.asarray(y._keras_mask).ravel()])


def masks_on(x, mask):
    x = keras.ops.convert_to_tensor(x)
    x._keras_mask = keras.ops.convert_to_tensor(np.array(mask))
    return x


def drawn(layer, x):
    """The kernel that a layer begins with."""
    layer.build(x.shape)
    return np.asarray(layer.kernel)


series = [layer_input(1, 4, 2), layer_input(1, 4, 2, seed=3)]
masks = [[[True, True, False, False]], [[True, False, True, False]]]
train = dict(training=True)
write("more.h", {
    "subtracted": merged(K.Subtract(), two),
    "multiplied": merged(K.Multiply(), three),
    "averaged": merged(K.Average(), three),
    "greatest": merged(K.Maximum(), ranks),
    "least": merged(K.Minimum(), three),
    "multiplied_masked": masked(K.Multiply(), series, masks),
    "greatest_masked": masked(K.Maximum(), series, masks),
    "joined_masked": masked(K.Concatenate(axis=1), series, masks),
    "dot_last": merged(K.Dot(-1), two),
    "dot_matrices": merged(K.Dot((2, 1)), [cube, layer_input(2, 4, 5, seed=1)]),
    "dot_normalized": merged(K.Dot(1, normalize=True), [layer_input(2, 4), layer_input(2, 4, 3, seed=1)]),
    "dot_rank4": merged(K.Dot((3, 2)), [image, layer_input(2, 2, 4, 3, seed=1)]),
    "noise": call(K.GaussianNoise(0.4, seed=7), cube, **train),
    "gaussian_dropout": call(K.GaussianDropout(0.3, seed=7), cube, **train),
    "alpha_dropout": call(K.AlphaDropout(0.3, noise_shape=(None, 1, 4), seed=7), cube, **train),
    "spatial1d": call(K.SpatialDropout1D(0.5, seed=7), cube, **train),
    "spatial2d": call(K.SpatialDropout2D(0.5, data_format="channels_first", seed=7), image, **train),
    "spatial3d": call(K.SpatialDropout3D(0.5, seed=7), layer_input(1, 2, 2, 2, 6), **train),
    "layer_norm": call(K.LayerNormalization(), cube),
    "layer_norm_two": call(K.LayerNormalization(axis=(1, 2), epsilon=1e-2, scale=False), image),
    "layer_norm_rms": call(K.LayerNormalization(rms_scaling=True), rows),
    "group_norm": call(K.GroupNormalization(2), image),
    "group_norm_axis": call(K.GroupNormalization(-1, axis=1, center=False), cube),
    "unit_norm": call(K.UnitNormalization(axis=(1, 2)), cube),
    "rms_norm": call(K.RMSNormalization(), cube),
    "rms_norm_two": call(K.RMSNormalization(axis=(1, 2), epsilon=1e-3), cube),
    "leaky": call(K.LeakyReLU(0.2), rows),
    "elu": call(K.ELU(0.5), rows),
    "prelu": call(K.PReLU(), cube),
    "prelu_shared": call(K.PReLU(shared_axes=[1]), cube),
    "einsum_bias": call(K.EinsumDense("abc,cde->abde", (None, 2, 3), bias_axes="e", activation="tanh"), cube),
    "einsum_left": call(K.EinsumDense("...c,cd->...d", 5), image),
    "einsum_right": call(K.EinsumDense("bc...,cd->bd...", (2,), bias_axes="d"), cube),
    "einsum_initial": drawn(K.EinsumDense("abc,dce->abde", (3, 2, 3), kernel_initializer=keras.initializers.GlorotUniform(3)), cube),
    "embedded": call(K.Embedding(5, 3), np.array([[0, 4], [2, 2]])),
})
