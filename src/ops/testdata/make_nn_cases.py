#!/usr/bin/env python3
"""Writes nn_cases.h: what TensorFlow computes for convolutions, pooling, softmax and batch
normalisation on a sequence of numbers that the tests make too: (7 i mod 11) * factor + offset.

Needs TensorFlow 2.21: make_nn_cases.py > nn_cases.h"""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1"  # gradients of grouped and dilated convolutions need it

import numpy as np
import tensorflow as tf

raw = tf.raw_ops


def sequence(*shape, factor=1.0, offset=0.0):
    numbers = np.arange(int(np.prod(shape))) * 7 % 11 * factor + offset
    return tf.constant(numbers.reshape(shape), tf.float32)


def image(*shape):
    return sequence(*shape, factor=0.5, offset=-2)


def weights(*shape):
    return sequence(*shape, factor=0.25, offset=-1)


def cotangent(y):
    return sequence(*y.shape, factor=0.1, offset=-0.5)


def show(**arrays):
    for name, array in arrays.items():
        numbers = ["%.9g" % (x + 0.0) for x in np.ravel(array)]
        print(f"static const double {name}[] = {{")
        for at in range(0, len(numbers), 8):
            print("    " + ", ".join(numbers[at:at + 8]) + ",")
        print("};")


def convolution(name, x, w, dims=2, **attrs):
    forward, to_input, to_filter = {
        2: (raw.Conv2D, raw.Conv2DBackpropInput, raw.Conv2DBackpropFilter),
        3: (raw.Conv3D, raw.Conv3DBackpropInputV2, raw.Conv3DBackpropFilterV2),
        1: (raw.DepthwiseConv2dNative, raw.DepthwiseConv2dNativeBackpropInput,
            raw.DepthwiseConv2dNativeBackpropFilter),
    }[dims]
    y = forward(input=x, filter=w, **attrs)
    dy = cotangent(y)
    show(**{
        name + "_y": y,
        name + "_dx": to_input(input_sizes=x.shape, filter=w, out_backprop=dy, **attrs),
        name + "_dw": to_filter(input=x, filter_sizes=w.shape, out_backprop=dy, **attrs)})


def convolutions():
    x, w = image(1, 4, 3, 2), weights(2, 2, 2, 3)
    convolution("conv_same", x, w, strides=[1, 1, 1, 1], padding="SAME")
    convolution("conv_strided", x, w, strides=[1, 2, 1, 1], padding="VALID")
    convolution("conv_dilated", x, w, strides=[1, 1, 1, 1], padding="SAME", dilations=[1, 2, 2, 1])
    convolution("conv_explicit", x, w, strides=[1, 2, 2, 1], padding="EXPLICIT",
                explicit_paddings=[0, 0, 1, 2, 0, 1, 0, 0])
    convolution("conv_grouped", image(1, 3, 3, 4), weights(2, 2, 2, 4), strides=[1, 1, 1, 1], padding="SAME")
    convolution("conv_3d", image(1, 2, 3, 3, 1), weights(2, 2, 1, 1, 2), dims=3, strides=[1, 1, 2, 1, 1],
                padding="SAME")
    convolution("depthwise", image(1, 3, 4, 2), weights(2, 2, 2, 2), dims=1, strides=[1, 2, 2, 1], padding="SAME")
    show(depthwise_dilated_y=tf.nn.depthwise_conv2d(image(1, 3, 4, 2), weights(2, 2, 2, 1), [1, 1, 1, 1], "SAME",
                                                    dilations=[1, 2]),
         conv_1d_y=tf.nn.conv1d(image(1, 5, 2), weights(3, 2, 2), stride=2, padding="SAME"),
         conv_transposed_y=tf.nn.conv2d_transpose(image(1, 2, 3, 2), weights(3, 3, 1, 2), [1, 4, 5, 1], [2, 2]),
         conv_transposed_1d_y=tf.nn.conv1d_transpose(image(2, 3, 2), weights(3, 1, 2), [2, 5, 1], 2))


def pools():
    x = image(1, 4, 5, 1)
    x = tf.concat([x, x[:, :, ::-1]], -1)
    attrs = dict(ksize=[1, 3, 2, 1], strides=[1, 2, 2, 1], padding="SAME")
    y = raw.MaxPool(input=x, **attrs)
    dy = cotangent(y)
    show(pool_x=x, max_y=y, max_dx=raw.MaxPoolGrad(orig_input=x, orig_output=y, grad=dy, **attrs),
         max_second=raw.MaxPoolGradGrad(orig_input=x, orig_output=y, grad=x * 2, **attrs),
         avg_y=raw.AvgPool(value=x, **attrs),
         avg_dx=raw.AvgPoolGrad(orig_input_shape=x.shape, grad=dy, **attrs),
         max_explicit_y=tf.nn.max_pool2d(x, 3, 2, [[0, 0], [1, 2], [0, 1], [0, 0]]),
         max_1d_y=tf.nn.max_pool1d(image(1, 5, 2), 2, 2, "SAME"),
         avg_1d_y=tf.nn.avg_pool1d(image(1, 5, 2), 2, 2, "SAME"))
    x, attrs = image(1, 3, 3, 2, 1), dict(ksize=[1, 2, 2, 2, 1], strides=[1, 2, 1, 1, 1], padding="SAME")
    y = raw.MaxPool3D(input=x, **attrs)
    dy = cotangent(y)
    show(max_3d_y=y, max_3d_dx=raw.MaxPool3DGrad(orig_input=x, orig_output=y, grad=dy, **attrs),
         avg_3d_y=raw.AvgPool3D(input=x, **attrs),
         avg_3d_dx=raw.AvgPool3DGrad(orig_input_shape=x.shape, grad=dy, **attrs))


def softmaxes():
    x = image(2, 3)
    labels = tf.constant([[0.2, 0.5, 0.3], [0.0, 1.0, 0.0]])
    show(softmax_y=tf.nn.softmax(x), log_softmax_y=tf.nn.log_softmax(x), softmax_axis0_y=tf.nn.softmax(x, axis=0),
         log_softmax_axis0_y=tf.nn.log_softmax(x, axis=0),
         sigmoid_loss=tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=x))
    loss, backprop = raw.SoftmaxCrossEntropyWithLogits(features=x, labels=labels)
    show(dense_loss=loss, dense_backprop=backprop)
    loss, backprop = raw.SparseSoftmaxCrossEntropyWithLogits(features=x, labels=[2, 0])
    show(sparse_loss=loss, sparse_backprop=backprop)


def batch_norms():
    for training in (True, False):
        x, scale, offset = image(2, 2, 2, 2), tf.constant([1.5, -0.5]), tf.constant([0.25, 1.0])
        with tf.GradientTape() as tape:
            tape.watch([x, scale, offset])
            y, mean, variance = tf.compat.v1.nn.fused_batch_norm(
                x, scale, offset, mean=tf.constant([0.5, 1.0]), variance=tf.constant([2.0, 3.0]),
                is_training=training, exponential_avg_factor=0.1)
        dx, dscale, doffset = tape.gradient(y, [x, scale, offset], output_gradients=cotangent(y))
        name = "norm_training" if training else "norm_given"
        show(**{name + "_y": y, name + "_mean": mean, name + "_variance": variance, name + "_dx": dx,
                name + "_dscale": dscale, name + "_doffset": doffset})


if __name__ == "__main__":
    print("/* nn_cases.h - made by make_nn_cases.py with TensorFlow %s */" % tf.__version__)
    convolutions()
    pools()
    softmaxes()
    batch_norms()
