/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/list.h"

struct item {
    int number;
    struct gw_list link;
};

static struct gw_list head;
static struct item items[5];

static int fill(void **state)
{
    (void)state;
    gw_list_init(&head);
    for (int i = 0; i < 5; i++) {
        items[i].number = i;
        gw_list_push(&head, &items[i].link);
    }
    return 0;
}

static int pop(struct gw_list *from)
{
    struct gw_list *link = gw_list_pop(from);
    return link ? gw_list_entry(link, struct item, link)->number : -1;
}

static void test_first_in_first_out(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++)
        assert_int_equal(pop(&head), i);
    assert_int_equal(pop(&head), -1);
    assert_true(gw_list_empty(&head));
}

static void test_remove(void **state)
{
    (void)state;
    gw_list_remove(&items[0].link);
    gw_list_remove(&items[2].link);
    gw_list_remove(&items[2].link); /* twice is fine */
    gw_list_remove(&items[4].link);
    assert_int_equal(pop(&head), 1);
    gw_list_push(&head, &items[0].link);
    assert_int_equal(pop(&head), 3);
    assert_int_equal(pop(&head), 0);
    assert_int_equal(pop(&head), -1);
}

static void test_take(void **state)
{
    (void)state;
    struct gw_list aside;
    gw_list_take(&aside, &head);
    assert_true(gw_list_empty(&head));
    gw_list_remove(&items[1].link);      /* a callee may unlink what is set aside … */
    gw_list_push(&head, &items[1].link); /* … or queue it anew */
    assert_int_equal(pop(&aside), 0);
    assert_int_equal(pop(&aside), 2);
    assert_int_equal(pop(&aside), 3);
    assert_int_equal(pop(&aside), 4);
    assert_int_equal(pop(&aside), -1);
    assert_int_equal(pop(&head), 1);
    gw_list_take(&aside, &head);
    assert_true(gw_list_empty(&aside));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_first_in_first_out, fill),
        cmocka_unit_test_setup(test_remove, fill),
        cmocka_unit_test_setup(test_take, fill),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
