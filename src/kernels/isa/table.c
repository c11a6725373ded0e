/* table.c - the kernels of one instruction set. */
#include "kernels/isa/table.h"
#include "kernels/isa/tile.h"

const tn__kernels_table TN__ISA(tn__table) = {
    .name = TN__ISA_NAME,
    .gemm_scratch = TN__ISA(tn__gemm_scratch),
    .gemm = TN__ISA(tn__gemm),
    .conv_filter_bytes = TN__ISA(tn__conv_filter_bytes),
    .conv_pack = TN__ISA(tn__conv_pack),
    .conv_scratch = TN__ISA(tn__conv_scratch),
    .conv = TN__ISA(tn__conv),
    .conv_to_input_scratch = TN__ISA(tn__conv_to_input_scratch),
    .conv_to_input = TN__ISA(tn__conv_to_input),
    .conv_to_filter_scratch = TN__ISA(tn__conv_to_filter_scratch),
    .conv_to_filter = TN__ISA(tn__conv_to_filter),
    .depthwise_scratch = TN__ISA(tn__depthwise_scratch),
    .depthwise = TN__ISA(tn__depthwise),
    .depthwise_to_filter = TN__ISA(tn__depthwise_to_filter),
    .chain_scratch = TN__ISA(tn__chain_scratch),
    .chain = TN__ISA(tn__chain),
    .adam = TN__ISA(tn__adam),
    .sum = TN__ISA(tn__sum),
    .sum_columns = TN__ISA(tn__sum_columns),
    .largest = TN__ISA(tn__largest),
    .exponentials = TN__ISA(tn__exponentials),
    .divide_by = TN__ISA(tn__divide_by),
    .softmax = TN__ISA(tn__softmax),
    .layer_norm = TN__ISA(tn__layer_norm),
    .layer_norm_gradient = TN__ISA(tn__layer_norm_gradient),
    .max_pool = TN__ISA(tn__max_pool),
    .max_pool_gradient = TN__ISA(tn__max_pool_gradient),
};
