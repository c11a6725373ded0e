/* Draws some digits in the terminal, each with what a model takes it for: show_digits MODEL DIGITS.npz */
#include <stdio.h>
#include <tenon.h>

enum { SIDE = 8, SHOWN = 8 };

static void draw(const unsigned char *images, const unsigned char *labels, const int64_t *predicted)
{
    static const char *const shades[] = { " ", "░", "▒", "▓", "█" };
    for (int row = 0; row < SIDE; row++, putchar('\n'))
        for (int i = 0; i < SHOWN; i++, printf("   "))
            for (int column = 0; column < SIDE; column++)
                printf("%s", shades[images[(i * SIDE + row) * SIDE + column] * 4 / 16]);
    for (int i = 0; i < SHOWN; i++)
        printf("%d -> %d %s    ", labels[i], (int)predicted[i], labels[i] == predicted[i] ? "  " : "!!");
    printf("\n(the digit -> what the model says)\n");
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: show_digits MODEL DIGITS.npz\n");
        return 2;
    }
    tn_model *model = tn_load_model(argv[1]);
    tn_tensor *images = tn_rows(tn_load_array(argv[2], "x_test"), 0, SHOWN);
    tn_tensor *labels = tn_rows(tn_load_array(argv[2], "y_test"), 0, SHOWN);
    tn_tensor *predicted = tn_argmax(tn_predict(model, images, .verbose = 0), -1);
    const unsigned char *pixels = tn_data(images, TN_UINT8), *digits = tn_data(labels, TN_UINT8);
    const int64_t *classes = tn_data(predicted, TN_INT64);
    if (pixels && digits && classes)
        draw(pixels, digits, classes);
    return tn_report();
}
