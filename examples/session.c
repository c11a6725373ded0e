/* TensorFlow 1: a line fitted through a placeholder, a session, and a checkpoint. */
#include <stdio.h>
#include <tenon.h>

int main(void)
{
    tn_must(tn_disable_eager_execution());
    tn_tensor *x = tn_placeholder(TN_FLOAT32, TN_SHAPE(TN_NONE, 1), "x");
    tn_tensor *y = tn_placeholder(TN_FLOAT32, TN_SHAPE(TN_NONE, 1), "y");
    tn_variable *w, *b;
    {
        TN_WITH(tn_variable_scope("line", .reuse = TN_AUTO_REUSE));
        w = tn_get_variable("w", TN_SHAPE(1, 1), .initializer = "zeros");
        b = tn_get_variable("b", TN_SHAPE(1), .initializer = "zeros");
    }
    tn_tensor *prediction = tn_add(tn_matmul(x, w), b);
    tn_tensor *loss = tn_reduce_mean(tn_square(tn_subtract(prediction, y)));
    tn_operation *train = tn_minimize(tn_gradient_descent_optimizer(0.1), loss);
    tn_saver *saver = tn_saver();

    tn_tensor *xs = tn_constant(TN_FLOAT32, TN_SHAPE(4, 1), (float[]){ 0, 1, 2, 3 });
    tn_tensor *ys = tn_constant(TN_FLOAT32, TN_SHAPE(4, 1), (float[]){ 1, 3, 5, 7 });
    tn_session *sess = tn_session();
    tn_must(tn_run_operation(sess, tn_global_variables_initializer()));
    for (int step = 0; step < 200; step++)
        tn_must(tn_run_operation(sess, train, .feed = { { x, xs }, { y, ys } }));
    tn_tensor *fetches = tn_tuple(loss, tn_tuple(w, b));
    tn_tensor *result = tn_run(sess, fetches, .feed = { { x, xs }, { y, ys } });
    printf("loss %g, w and b %s\n", tn_to_double(tn_item(result, 0)), tn_text(tn_item(result, 1)));
    printf("saved %s\n", tn_saver_save(saver, sess, "line", 200));

    tn_session *other = tn_session();
    tn_must(tn_saver_restore(saver, other, tn_latest_checkpoint(".")));
    tn_print(tn_run(other, w));
    return tn_report();
}
