/* show.h - looking at models and trainings: tables, drawings, curves. */
#ifndef TENON_SHOW_H
#define TENON_SHOW_H
#include "tenon/training.h"
TN_BEGIN
/* Keras's model.summary(), character by character, to the output sink: layers, output shapes, parameters, what goes into what where the
 * model is more than a chain, and sums. */
typedef struct tn_summary_options {
    TN_OPTIONS_HEAD(tn_summary_options);
    tn_model *model TN_DEFAULT(NULL);
    int line_length TN_DEFAULT(0);              /* 0: Keras's own, or what the terminal has */
    tn_flag expand_nested TN_DEFAULT(false);    /* the layers of models within the model too */
    tn_flag show_trainable TN_DEFAULT(false);   /* a column: Y, N, or - for layers without weights */
} tn_summary_options;
TN_API void tn_summary_with(const tn_summary_options *options);

/* Keras's keras.utils.plot_model(): the model as boxes and arrows, a self-contained SVG file. Shared layers stand there once. A model of
 * the program's own class is one box, as in Keras. to_file "-" is standard output. Fails when the model is not built yet. */
typedef struct tn_plot_model_options {
    TN_OPTIONS_HEAD(tn_plot_model_options);
    tn_model *model TN_DEFAULT(NULL);
    const char *to_file TN_DEFAULT("model.svg");
    tn_flag show_shapes TN_DEFAULT(false);
    tn_flag show_dtype TN_DEFAULT(false);
    tn_flag show_layer_names TN_DEFAULT(false);
    const char *rankdir TN_DEFAULT("TB");       /* "TB": from top to bottom; "LR": from left to right */
    tn_flag expand_nested TN_DEFAULT(false);    /* models within the model are drawn in frames */
    tn_flag show_layer_activations TN_DEFAULT(false);
    tn_flag show_trainable TN_DEFAULT(false);
} tn_plot_model_options;
TN_API TN_USE tn_status tn_plot_model_with(const tn_plot_model_options *options);

/* Loss and metrics by epoch, one chart each with its validation values, a self-contained SVG file. "-" is standard output. */
TN_API TN_USE tn_status tn_plot_history(tn_history *history, const char *to_file);

#ifdef __cplusplus
inline void tn_summary(tn_model *model)
{
    tn_summary_options options;
    options.model = model;
    tn_summary_with(&options);
}
inline TN_USE tn_status tn_plot_model(tn_model *model, const char *to_file)
{
    tn_plot_model_options options;
    options.model = model;
    options.to_file = to_file;
    return tn_plot_model_with(&options);
}
#else
#define tn_summary(...) TN_OPTIONS(tn_summary_with, tn_summary_options, TN_NO_DEFAULTS, __VA_ARGS__)
#define tn_plot_model(...) tn_status_to_be_used( \
    TN_OPTIONS(tn_plot_model_with, tn_plot_model_options, (.to_file = "model.svg", .rankdir = "TB"), __VA_ARGS__))
#endif
TN_END
#endif
