/* SPDX-License-Identifier: Apache-2.0
 *
 * test_store.c - the store that keeps nothing: takes everything, gives nothing.
 */
#include "invigilator/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_store_memory_takes_all_and_keeps_nothing(void **state)
{
    struct invig_store store = invig_store_memory();
    const struct invig_store_reader nobody = {0}; /* a call of it would crash */
    const struct invig_user_record user = {0};
    const struct invig_session_record session = {.serial = 1};
    const struct invig_evaluation_record evaluation = {0};
    const struct invig_member_record member = {0};
    struct invig_text id = invig_text_of("a");
    bool is_done = false;

    (void)state;
    assert_false(store.is_grouping);
    assert_int_equal(store.begin(store.context), INVIG_OK);
    assert_int_equal(store.put_user(store.context, id, &user), INVIG_OK);
    assert_int_equal(store.put_session(store.context, id, id, &session), INVIG_OK);
    assert_int_equal(store.put_evaluation(store.context, id, &evaluation), INVIG_OK);
    assert_int_equal(store.put_member(store.context, id, id, &member), INVIG_OK);
    assert_int_equal(store.put_user(store.context, id, NULL), INVIG_OK);
    assert_int_equal(store.commit(store.context), INVIG_OK);
    store.rollback(store.context);
    assert_int_equal(store.load(store.context, &nobody), INVIG_OK);
    assert_int_equal(store.sweep(store.context, 1, 1, &is_done), INVIG_OK);
    assert_true(is_done);
    store.close(store.context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_store_memory_takes_all_and_keeps_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
