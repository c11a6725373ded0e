/* callback_cases.h - written by make_train_cases.py with Keras 3.15.1. */
TN_DEFAULTS_ON /* defaults first, then what a case says over them */
#define STOP(...) { .monitor = "val_loss", .mode = "auto", .baseline = TN_NOT_GIVEN, __VA_ARGS__ }
#define PLATEAU(...) { .monitor = "val_loss", .mode = "auto", .factor = 0.1, .patience = 10, .min_delta = 1e-4, __VA_ARGS__ }
#define CHECKPOINT(...) { .monitor = "val_loss", .mode = "auto", .initial_value_threshold = TN_NOT_GIVEN, __VA_ARGS__ }
/* EarlyStopping: epochs that ran, and the epoch whose weights were there in the end. */
static const struct {
    tn_early_stopping_options options;
    double script[8];
    int64_t epochs, weights_of;
} stop_cases[] = {
    { STOP(.patience = 0), { 1, 0.9, 0.95, 0.85, 0.86, 0.87, 0.88, 0.8 }, 3, 2 },
    { STOP(.patience = 1), { 1, 0.9, 0.95, 0.85, 0.86, 0.87, 0.88, 0.8 }, 3, 2 },
    { STOP(.patience = 3), { 1, 0.9, 0.95, 0.85, 0.86, 0.87, 0.88, 0.8 }, 7, 6 },
    { STOP(.patience = 2, .min_delta = 0.06), { 1, 0.9, 0.95, 0.85, 0.86, 0.87, 0.88, 0.8 }, 4, 3 },
    { STOP(.patience = 2, .restore_best_weights = true), { 1, 0.9, 0.95, 0.85, 0.86, 0.87, 0.88, 0.8 }, 6, 3 },
    { STOP(.patience = 1, .baseline = 0.7, .restore_best_weights = true), { 1, 0.9, 0.95, 0.85, 0.86, 0.87, 0.88, 0.8 }, 3, 1 },
    { STOP(.patience = 4, .baseline = 0.86, .restore_best_weights = true), { 1, 0.9, 0.95, 0.85, 0.86, 0.87, 0.88, 0.8 }, 8, 7 },
    { STOP(.start_from_epoch = 4, .restore_best_weights = true), { 1, 0.9, 0.95, 0.85, 0.86, 0.87, 0.88, 0.8 }, 6, 4 },
    { STOP(.mode = "max"), { 1, 0.9, 0.95, 0.85, 0.86, 0.87, 0.88, 0.8 }, 2, 1 },
    { STOP(.mode = "max", .patience = 2, .restore_best_weights = true), { 0.1, 0.3, 0.2, 0.25, 0.3, 0.35, 0.1, 0.1 }, 4, 1 },
    { STOP(.monitor = "val_mean_absolute_error", .mode = "min", .patience = 1), { 1, 0.9, 0.95, 0.85, 0.86, 0.87, 0.88, 0.8 }, 3, 2 },
    { STOP(.monitor = "mae", .patience = 1), { 0.1, 0.3, 0.2, 0.25, 0.3, 0.35, 0.1, 0.1 }, 2, 1 },
    { STOP(.patience = 1, .restore_best_weights = true), { 1, NAN, 0.9, 0.9, 0.9, 0.5, 0.5, 0.4 }, 2, 0 },
    { STOP(.patience = 20, .restore_best_weights = true), { 1, 0.9, 0.95, 0.85, 0.86, 0.87, 0.88, 0.8 }, 8, 7 },
};

/* ReduceLROnPlateau: the learning rate that each epoch logs, and the last one. */
static const struct {
    tn_reduce_lr_on_plateau_options options;
    double rate[8], last;
} plateau_cases[] = {
    { PLATEAU(.patience = 1), { 0.00999999978, 0.00999999978, 0.00999999978, 0.000999999931, 0.000999999931, 9.99999902e-05, 9.99999884e-06, 9.99999884e-07 }, 9.99999884e-07 },
    { PLATEAU(.factor = 0.5, .patience = 2, .cooldown = 2), { 0.00999999978, 0.00999999978, 0.00999999978, 0.00999999978, 0.00999999978, 0.00999999978, 0.00499999989, 0.00499999989 }, 0.00499999989 },
    { PLATEAU(.factor = 0.5, .patience = 1, .min_lr = 0.002), { 0.00999999978, 0.00999999978, 0.00999999978, 0.00499999989, 0.00499999989, 0.00249999994, 0.00200000009, 0.00200000009 }, 0.00200000009 },
    { PLATEAU(.patience = 1, .min_delta = 0.1), { 0.00999999978, 0.00999999978, 0.000999999931, 9.99999902e-05, 9.99999902e-05, 9.99999884e-06, 9.99999884e-07, 9.9999987e-08 }, 9.99999905e-09 },
    { PLATEAU(.patience = 0, .factor = 0.5, .mode = "max"), { 0.00999999978, 0.00999999978, 0.00499999989, 0.00249999994, 0.00124999997, 0.000624999986, 0.000312499993, 0.000156249997 }, 7.81249983e-05 },
    { PLATEAU(.factor = 0.9, .patience = 1, .cooldown = 1, .min_delta = 0.0), { 0.00999999978, 0.00999999978, 0.00999999978, 0.00899999961, 0.00899999961, 0.00809999928, 0.00728999916, 0.00656099943 }, 0.00656099943 },
};

/* ModelCheckpoint: the files that are there in the end, two batches an epoch. */
static const struct {
    tn_model_checkpoint_options options;
    int64_t epochs;
    const char *files;
} checkpoint_cases[] = {
    { CHECKPOINT(.filepath = "{epoch:02d}-{val_loss:.2f}.weights.h5", .save_weights_only = true), 8, "01-1.00.weights.h5 02-0.90.weights.h5 03-0.95.weights.h5 04-0.85.weights.h5 05-0.86.weights.h5 06-0.87.weights.h5 07-0.88.weights.h5 08-0.80.weights.h5" },
    { CHECKPOINT(.filepath = "best-{epoch}.weights.h5", .save_weights_only = true, .save_best_only = true), 8, "best-1.weights.h5 best-2.weights.h5 best-4.weights.h5 best-8.weights.h5" },
    { CHECKPOINT(.filepath = "{epoch}.weights.h5", .save_weights_only = true, .save_best_only = true, .initial_value_threshold = 0.88), 8, "4.weights.h5 8.weights.h5" },
    { CHECKPOINT(.filepath = "{epoch}.weights.h5", .save_weights_only = true, .save_best_only = true, .mode = "max"), 8, "1.weights.h5" },
    { CHECKPOINT(.filepath = "e{epoch}-b{batch}.weights.h5", .save_weights_only = true, .save_freq = 3), 8, "e2-b1.weights.h5 e3-b2.weights.h5 e5-b1.weights.h5 e6-b2.weights.h5 e8-b1.weights.h5" },
    { CHECKPOINT(.filepath = "deep/{epoch}/m.weights.h5", .save_weights_only = true), 2, "deep/1/m.weights.h5 deep/2/m.weights.h5" },
};

/* CSVLogger: the file. */
static const char csv_text[] =
    "epoch;\"a;b\";loss;\"val_a;b\";val_loss\r\n"
    "0;0.3333333333333333;0.1;NA;NA\r\n"
    "1;2.0;1e-07;NA;NA\r\n"
    "2;1e+20;inf;NA;NA\r\n"
    "0;0.3333333333333333;0.1;NA;NA\r\n"
    "1;2.0;1e-07;NA;NA\r\n"
    "2;1e+20;inf;NA;NA\r\n";

/* str.format with epoch 7, batch 12, loss 0.123456789, small 1e-07, negative -2.5. */
static const struct {
    const char *pattern, *path;
} path_cases[] = {
    { "plain", "plain" },
    { "{epoch}", "7" },
    { "{epoch:02d}-{loss:.2f}", "07-0.12" },
    { "{loss}", "0.123456789" },
    { "{loss:8.3f}|{loss:<8.1f}|{loss:^9.2e}|{loss:+g}", "   0.123|0.1     |1.23e-01 |+0.123457" },
    { "{epoch:>4}{{x}}{epoch:04}", "   7{x}0007" },
    { "{loss:.1%}", "12.3%" },
    { "{small}", "1e-07" },
    { "{small:.3E}", "1.000E-07" },
    { "{negative:06.1f}", "-002.5" },
    { "{negative:*<9.1f}", "-2.5*****" },
    { "{epoch:.1f}", "7.0" },
    { "{loss:=+9.3f}", "+   0.123" },
    { "{batch}", "12" },
    { "{epoch: d}", " 7" },
};
TN_DEFAULTS_OFF
