/* layout_test.c - boxes and lines: nothing overlaps, no line runs through a box, everything that is linked is drawn so. */
#include "support/check.h"
#include "show/layout.h"
#include <math.h>
#include <stdlib.h>

static void add_box(tn__layout *l, double width, double height)
{
    CHECK_OK(tn__layout_add_box(l, TN__BOX, width, height));
}

static void add_link(tn__layout *l, size_t from, size_t to)
{
    CHECK_OK(tn__layout_add_link(l, (tn__link){ from, to, NAN, NAN }));
}

static bool apart(const tn__box *a, const tn__box *b)
{
    return a->x + a->width <= b->x || b->x + b->width <= a->x || a->y + a->height <= b->y || b->y + b->height <= a->y;
}

static void check_boxes(const tn__layout *l)
{
    for (size_t i = 0; i < l->box.count; i++) {
        const tn__box *box = &l->box.item[i];
        assert_true(box->x >= -1e-6 && box->x + box->width <= l->width + 1e-6);
        assert_true(box->y >= 0 && box->y + box->height <= l->height + 1e-6);
        for (size_t k = i + 1; k < l->box.count; k++)
            assert_true(apart(box, &l->box.item[k]));
    }
}

/* Two hundred places on the line, none inside a box. */
static void check_line(const tn__layout *l, tn__point a, tn__point b)
{
    for (int i = 0; i <= 200; i++) {
        double x = a.x + (b.x - a.x) * i / 200, y = a.y + (b.y - a.y) * i / 200;
        for (size_t k = 0; k < l->box.count; k++) {
            const tn__box *box = &l->box.item[k];
            bool inside = x > box->x + 0.01 && x < box->x + box->width - 0.01 && y > box->y + 0.01 && y < box->y + box->height - 0.01;
            if (inside)
                fail_msg("a line from (%g, %g) to (%g, %g) runs through box %zu", a.x, a.y, b.x, b.y, k);
        }
    }
}

static size_t check_routes(const tn__layout *l)
{
    size_t arrows = 0;
    for (size_t i = 0; i < l->route.count; i++) {
        const tn__route *route = &l->route.item[i];
        assert_true(route->count >= 2);
        arrows += route->arrow + route->arrow_at_start;
        for (size_t k = 1; k < route->count; k++)
            check_line(l, l->point.item[route->first + k - 1], l->point.item[route->first + k]);
    }
    return arrows;
}

static unsigned next_random(unsigned *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

static void lines_of_any_graph_keep_clear_of_its_boxes(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 60; seed++) {
        tn__layout l = { 0 };
        unsigned random = seed;
        size_t count = 2 + next_random(&random) % 14, links = 0;
        for (size_t i = 0; i < count; i++)
            add_box(&l, 40 + next_random(&random) % 200, 20 + next_random(&random) % 90);
        for (size_t to = 1; to < count; to++)
            for (size_t from = 0; from < to; from++)
                if (next_random(&random) % 4 == 0 || from + 1 == to) {
                    add_link(&l, from, to);
                    links++;
                }
        CHECK_OK(tn__layout_run(&l));
        check_boxes(&l);
        assert_int_equal(check_routes(&l), links);
        tn__layout_free(&l);
    }
}

static void a_chain_is_one_straight_line(void **state)
{
    (void)state;
    tn__layout l = { 0 };
    for (size_t i = 0; i < 20000; i++) {
        add_box(&l, 100 + i % 7 * 10, 30);
        if (i)
            add_link(&l, i - 1, i);
    }
    CHECK_OK(tn__layout_run(&l));
    for (size_t i = 1; i < l.box.count; i++) {
        const tn__box *box = &l.box.item[i];
        assert_true(fabs(box->x + box->width / 2 - l.box.item[0].x - l.box.item[0].width / 2) < 0.5);
        assert_true(box->y >= l.box.item[i - 1].y + 30);
    }
    tn__layout_free(&l);
}

static void a_link_back_points_up_and_a_loop_stays_beside_its_box(void **state)
{
    (void)state;
    tn__layout l = { 0 };
    for (int i = 0; i < 3; i++)
        add_box(&l, 120, 40);
    add_link(&l, 0, 1);
    add_link(&l, 1, 2);
    add_link(&l, 2, 0);
    add_link(&l, 1, 1);
    add_link(&l, 1, 2); /* told twice, drawn once */
    CHECK_OK(tn__layout_run(&l));
    check_boxes(&l);
    assert_int_equal(check_routes(&l), 4);
    size_t up = 0;
    for (size_t i = 0; i < l.route.count; i++)
        up += l.route.item[i].arrow_at_start;
    assert_int_equal(up, 1);
    tn__layout_free(&l);
}

static void entries_stand_above_and_exits_below(void **state)
{
    (void)state;
    tn__layout l = { 0 };
    CHECK_OK(tn__layout_add_box(&l, TN__ENTRY, 0, 0));
    CHECK_OK(tn__layout_add_box(&l, TN__ENTRY, 0, 0));
    for (int i = 0; i < 4; i++)
        add_box(&l, 80, 30);
    CHECK_OK(tn__layout_add_box(&l, TN__EXIT, 0, 0));
    add_link(&l, 0, 2);
    add_link(&l, 2, 3);
    add_link(&l, 3, 4);
    add_link(&l, 1, 5);
    add_link(&l, 5, 4);
    CHECK_OK(tn__layout_add_link(&l, (tn__link){ 3, 6, NAN, 0 }));
    CHECK_OK(tn__layout_run(&l));
    check_boxes(&l);
    assert_int_equal(check_routes(&l), 5); /* none at a port */
    assert_true(l.box.item[0].y == 0 && l.box.item[1].y == 0);
    for (size_t i = 2; i < 6; i++)
        assert_true(l.box.item[i].y > 0 && l.box.item[i].y < l.box.item[6].y + 1);
    tn__layout_free(&l);
}

static void an_empty_drawing_and_a_lonely_box_are_fine(void **state)
{
    (void)state;
    tn__layout l = { 0 };
    CHECK_OK(tn__layout_run(&l));
    add_box(&l, 10, 20);
    CHECK_OK(tn__layout_run(&l));
    assert_true(l.width == 10 && l.height == 20 && l.box.item[0].x == 0);
    tn__layout_free(&l);
}

static bool lay_out(void *self)
{
    (void)self;
    tn__layout l = { 0 };
    tn_status status = TN_OK;
    for (size_t i = 0; i < 6 && status == TN_OK; i++)
        status = tn__layout_add_box(&l, TN__BOX, 50, 20);
    for (size_t i = 0; i < 15 && status == TN_OK; i++)
        status = tn__layout_add_link(&l, (tn__link){ i % 5, 1 + (i * 7) % 5, NAN, NAN });
    if (status == TN_OK)
        status = tn__layout_run(&l);
    tn__layout_free(&l);
    return status == TN_OK;
}

static void running_out_of_memory_leaks_nothing(void **state)
{
    (void)state;
    check_allocation_failures(lay_out, NULL);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_of_any_graph_keep_clear_of_its_boxes),
        cmocka_unit_test(a_chain_is_one_straight_line),
        cmocka_unit_test(a_link_back_points_up_and_a_loop_stays_beside_its_box),
        cmocka_unit_test(entries_stand_above_and_exits_below),
        cmocka_unit_test(an_empty_drawing_and_a_lonely_box_are_fine),
        cmocka_unit_test(running_out_of_memory_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
