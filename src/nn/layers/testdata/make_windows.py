"""Writes windows.h: what the real Keras gives for convolutions and pooling over one to three axes.

    $(sh tests/interop/venv.sh | tail -n 1) src/nn/layers/testdata/make_windows.py
"""
from keras_layers import K, call, layer_input, write

series, image = layer_input(2, 6, 3), layer_input(2, 5, 6, 4)
small, volume = layer_input(1, 3, 4, 2), layer_input(1, 3, 4, 3, 2)
write("windows.h", {
    "conv1d_causal": call(K.Conv1D(2, 3, padding="causal", dilation_rate=2), series),
    "conv1d_strided": call(K.Conv1D(4, 2, strides=2, padding="same", activation="tanh"), series),
    "conv3d": call(K.Conv3D(2, (2, 3, 2), strides=(1, 2, 1), padding="same"), volume),
    "transpose1d": call(K.Conv1DTranspose(2, 3, strides=2), series),
    "transpose2d_same": call(K.Conv2DTranspose(3, 3, strides=2, padding="same", activation="tanh"), small),
    "transpose2d_padded": call(K.Conv2DTranspose(2, (3, 2), strides=(3, 2), output_padding=(2, 0)), small),
    "transpose2d_short": call(K.Conv2DTranspose(2, 2, strides=3), small),
    "transpose3d": call(K.Conv3DTranspose(2, 2, strides=2, use_bias=False), layer_input(1, 2, 2, 2, 2)),
    "depthwise1d": call(K.DepthwiseConv1D(3, strides=2, padding="same", depth_multiplier=2), series),
    "separable1d": call(K.SeparableConv1D(4, 3, dilation_rate=2), series),
    "separable2d": call(K.SeparableConv2D(3, (2, 3), padding="same", depth_multiplier=2, activation="tanh"), image),
    "max_pool1d": call(K.MaxPooling1D(3, strides=1, padding="same"), series),
    "max_pool3d": call(K.MaxPooling3D((2, 2, 1)), volume),
    "average_pool1d": call(K.AveragePooling1D(2), series),
    "average_pool3d": call(K.AveragePooling3D(2, strides=1, padding="same"), volume),
    "adaptive_average1d": call(K.AdaptiveAveragePooling1D(4), series),
    "adaptive_average2d": call(K.AdaptiveAveragePooling2D((3, 2)), image),
    "adaptive_average3d": call(K.AdaptiveAveragePooling3D(2), volume),
    "adaptive_max1d": call(K.AdaptiveMaxPooling1D(4), series),
    "adaptive_max2d_first": call(K.AdaptiveMaxPooling2D((7, 2), "channels_first"), image),
    "adaptive_max3d": call(K.AdaptiveMaxPooling3D((1, 2, 3)), volume),
    "global_max1d": call(K.GlobalMaxPooling1D(), series),
    "global_max2d": call(K.GlobalMaxPooling2D(keepdims=True), image),
    "global_max3d": call(K.GlobalMaxPooling3D(), volume),
    "global_average1d": call(K.GlobalAveragePooling1D(), series),
    "global_average3d": call(K.GlobalAveragePooling3D(), volume),
})
