/* One loaded model, eight threads. Each thread has its own memory scope and its own error. */
#include <pthread.h>
#include <stdio.h>
#include <tenon.h>

typedef struct {
    tn_model *model;
    int id;
    double sum;
    tn_status status;
} worker;

static void *work(void *arg)
{
    worker *self = arg;
    for (int i = 0; i < 100 && tn_pending() == TN_OK; i++) {
        TN_SCOPE;
        tn_tensor *x = tn_random_normal(TN_SHAPE(1, 8, 8, 1), .seed = self->id * 100 + i);
        self->sum += tn_to_double(tn_reduce_sum(tn_predict(self->model, x, .verbose = 0)));
    }
    self->status = tn_pending(); /* printed when the thread ends, since nobody takes it */
    return NULL;
}

int main(void)
{
    tn_model *model = tn_load_model("extended.keras");
    worker workers[8];
    pthread_t threads[8];
    int started = 0;
    for (; started < 8; started++) {
        workers[started] = (worker){ .model = model, .id = started };
        if (pthread_create(&threads[started], NULL, work, &workers[started]) != 0)
            break;
    }
    for (int i = 0; i < started; i++) {
        pthread_join(threads[i], NULL);
        printf("thread %d: %.6f (status %d)\n", i, workers[i].sum, (int)workers[i].status);
    }
    return tn_report();
}
